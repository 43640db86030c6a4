import { parseHistory, segmentsAlong } from '../../activities/pgbackrest/archive.js';
import { failureOf } from '../../activities/pgbackrest/command.js';
import { meaningOfExit } from '../../activities/pgbackrest/exit.js';
import { parseInfo } from '../../activities/pgbackrest/info.js';
import { collectMessages, parseRestoredFile } from '../../activities/pgbackrest/output.js';
import { parseVerifyReport, parseWrongFile } from '../../activities/pgbackrest/verify-report.js';
import { lsnToNumber, segmentOf, segmentsBetween } from '../../activities/pgbackrest/wal.js';
import { problemOf } from '../../activities/verify/repository-problem.js';

const MiB16 = 16 * 1024 * 1024;

describe('exit codes', () => {
  test.each([26, 28, 29, 31, 32, 37, 38, 40, 51, 58, 75, 95])('%i is not tried again', (code) => {
    expect(meaningOfExit(code).meaning).toBe('permanent');
  });
  test.each([49, 50, 56, 82, 101, 103])('%i is tried again', (code) => {
    expect(meaningOfExit(code).meaning).toBe('retry');
  });
  test.each([25, 27, 62, 100, 122, 125])('%i is for a person', (code) => {
    expect(meaningOfExit(code).meaning).toBe('person');
  });
});

describe('the log', () => {
  // As pgBackRest 2.45 prints it.
  const lines = `
2026-11-21 09:09:43.079 P00   INFO: repo1: restore backup set 20261121-090801F, recovery will start at 2026-11-21 09:08:01
2026-11-21 09:09:58.705 P00  ERROR: [026]: raised from local-2 protocol: error restoring '/srv/r2/base/5/13391': actual checksum '079b' does not match expected checksum '1d89'
                                    [ChecksumError] on retry after 0ms
                                    [ChecksumError] on retry after 15000ms
2026-11-21 09:09:58.705 P00   INFO: restore command end: aborted with exception [026]
ERROR: [055]: unable to open missing file '/nope.conf' for read`.split('\n');

  test('errors are found with their codes and their continuation', () => {
    const log = collectMessages(['ERROR']);
    for (const line of lines) log.add(line);
    expect(log.messages).toEqual([
      {
        level: 'ERROR',
        code: 26,
        text: expect.stringMatching(/13391.*\n\[ChecksumError\] on retry after 0ms\n/s),
      },
      { level: 'ERROR', code: 55, text: "unable to open missing file '/nope.conf' for read" },
    ]);
  });

  test('what a wrong key deciphers does not reach a person, who is told that the key is wrong', () => {
    const log = collectMessages(['ERROR', 'WARN']);
    for (const line of `
2026-11-21 09:10:30.622 P00   WARN: repo1: [FormatError] unable to load info file '/repo1/backup/main/backup.info' or '/repo1/backup/main/backup.info.copy':
                                    FormatError: key/value found outside of section at line 1: \u0001\u02d8_\u0007l\u05004egd
2026-11-21 09:10:30.622 P00  ERROR: [075]: backup set 20261121-090801F is not valid`.split('\n')) {
      log.add(line);
    }
    const scope = { account: 'postgres', config: '/etc/p.conf', stanza: 'main' };
    const outcome = { exitCode: 75, stdout: '', stderr: '', durationMs: 1, messages: log.messages };
    const { error, repositoryFault } = failureOf(scope, outcome, 'The restore', 'Look.');

    expect(error).toMatchObject({ code: 'WrongRepositoryKey', next: expect.stringContaining('/etc/p.conf') });
    expect(repositoryFault).toBe(true);
    expect(log.messages[0]?.text).not.toMatch(/[^\x20-\x7e\n]/);
  });

  test.each([
    [
      'P02 DETAIL: restore file /srv/r/base/1/1255 (bundle 2/44144, 768KB, 5.88%) checksum 46f8',
      { unchanged: false, bytes: 786_432, percent: 5.88 },
    ],
    [
      'P01 DETAIL: restore file /srv/r/base/5/16385 (1.2GB, 61.00%) checksum 46f8',
      { unchanged: false, bytes: 1_288_490_189, percent: 61 },
    ],
    [
      'P01 DETAIL: restore file /srv/r/base/1/2602 - exists and matches backup (bundle 2/0, 56KB, 0.25%) checksum e667',
      { unchanged: true, bytes: 57_344, percent: 0.25 },
    ],
  ])('progress: %s', (line, expected) => {
    expect(parseRestoredFile(line)).toEqual(expected);
  });
});

test('a store that takes the connection and says nothing may come back, whatever the command ends with', () => {
  const text = "timeout after 5000ms waiting for read from 's3.eu-west-2.example:443'";
  const outcome = {
    ...{ exitCode: 42, stdout: '', stderr: '', durationMs: 20_344 },
    messages: [{ level: 'ERROR' as const, text }],
  };
  const scope = { account: 'postgres', config: '/etc/pgbackrest.conf', stanza: 'main' };
  expect(failureOf(scope, outcome, 'Listing archive/main', 'Look.')).toMatchObject({
    error: { name: 'TransientError', code: 'RepositoryUnreachable' },
    repositoryFault: true,
  });
});

test('info keeps the system identifier exactly', () => {
  const [stanza] = parseInfo(
    `[{"archive":[{"database":{"id":1,"repo-key":1},"id":"15-1","max":"000000010000000000000006","min":"000000010000000000000001"}],"backup":[{"archive":{"start":"000000010000000000000002","stop":"000000010000000000000002"},"backrest":{"format":5,"version":"2.45"},"database":{"id":1,"repo-key":1},"error":false,"info":{"delta":22992623,"repository":{"delta":2995696,"size":2995696},"size":22992623},"label":"20261121-090801F","lsn":{"start":"0/2000028","stop":"0/2000100"},"prior":null,"reference":null,"timestamp":{"start":1795252081,"stop":1795252083},"type":"full"}],"cipher":"aes-256-cbc","db":[{"id":1,"repo-key":1,"system-id":7710548970306823678,"version":"15"}],"name":"main","repo":[{"cipher":"aes-256-cbc","key":1,"status":{"code":0,"message":"ok"}}],"status":{"code":0,"lock":{"backup":{"held":false}},"message":"ok"}}]`,
  );
  expect(stanza?.db[0]?.['system-id']).toBe('7710548970306823678');
  expect(stanza?.backup[0]?.label).toBe('20261121-090801F');
});

describe('the report of verify', () => {
  const report = (status: string, wal: [number, number], backup: [string, number, number]) =>
    parseVerifyReport(`stanza: main
status: ${status}
  archiveId: 15-1, total WAL checked: ${wal[0]}, total valid WAL: ${wal[1]}
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261121-090801F, status: ${backup[0]}, total files checked: ${backup[1]}, total valid files: ${backup[2]}
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
`);
  const chain = ['20261121-090801F'];
  const chosen = { archive: { start: '000000010000000000000002', stop: '000000010000000000000002' } };
  const point = { walEnd: '000000010000000000000006' };
  const judge = (given: ReturnType<typeof report>, log: readonly string[] = []) =>
    problemOf(
      given,
      log.flatMap((text) => parseWrongFile(text) ?? []),
      chain,
      '15-1',
      chosen,
      point,
    );

  test('a whole set passes', () => {
    expect(judge(report('ok', [6, 6], ['valid', 964, 964]))).toBeUndefined();
  });
  test('a damaged file is named', () => {
    const log = ["invalid checksum '20261121-090801F/pg_data/base/5/13391.zst'"];
    expect(judge(report('error', [6, 6], ['invalid', 964, 963]), log)).toMatch(
      /1 of 964 files are wrong: invalid checksum 20261121-090801F\/pg_data\/base\/5\/13391.zst/,
    );
  });
  test('a set without its manifest fails although the status is ok', () => {
    expect(judge(report('ok', [6, 6], ['manifest missing', 0, 0]))).toMatch(/manifest missing/);
  });
  test('damaged WAL counts where the point needs it', () => {
    const needed = [
      "invalid checksum '15-1/0000000100000000/000000010000000000000005-1b70e4f6c956eb8141ed4f41d706b4f4dd88f9ca.zst'",
    ];
    const unreadable = [
      'invalid result 15-1/0000000100000000/000000010000000000000005-1b70e4f6c956eb8141ed4f41d706b4f4dd88f9ca.zst: [95] raised from local-1 protocol: unable to flush',
    ];
    const older = [
      "invalid checksum '15-1/0000000100000000/000000010000000000000001-1b70e4f6c956eb8141ed4f41d706b4f4dd88f9ca.zst'",
    ];
    const given = report('error', [6, 5], ['valid', 964, 964]);
    expect(judge(given, needed)).toMatch(/damaged: invalid checksum \S+05-/);
    expect(judge(given, unreadable)).toMatch(/unreadable \(95\)/);
    expect(judge(given, older)).toBeUndefined();
    expect(judge(given, [])).toMatch(/does not name them all/);
  });
  test('an unreadable repository fails, and so does a report that leaves something out', () => {
    const unreadable = parseVerifyReport('stanza: main\nstatus: error\n  No usable backup.info file\n');
    expect(problemOf(unreadable, [], chain, '15-1', chosen, point)).toMatch(/No usable backup.info file/);
    expect(
      problemOf(report('ok', [6, 6], ['valid', 9, 9]), [], ['20260101-000000F'], '15-1', chosen, point),
    ).toMatch(/does not speak of backup 20260101-000000F/);
  });
});

describe('WAL', () => {
  const historyOf = (text: string) => {
    const history = parseHistory(text);
    if (history === undefined) throw new TypeError('it is a history');
    return history;
  };

  test('a history is read whole or not at all', () => {
    const two = '1\t0/5000098\tno recovery target specified\n\n2\t0/6000000\tbefore 2026-11-21 02:59:40+00\n';
    expect(historyOf(two)).toEqual([
      { timeline: 1, endLsn: '0/5000098' },
      { timeline: 2, endLsn: '0/6000000' },
    ]);
    expect(historyOf(`# kept by hand\n${two}`)).toHaveLength(2);
    for (const damaged of [
      '',
      two.replace('1\t0/5', '1\t0_5'),
      two.replace('0/5000098', '0/7000098'),
      two.replace('2\t', '1\t'),
      two.replace('before', 'bef\u0003re'),
      two.replace('before', 'bef\ufffdre'),
      `${two}3`,
    ]) {
      expect(parseHistory(damaged)).toBeUndefined();
    }
  });

  test('segments are counted across the end of a log file', () => {
    expect(segmentsBetween('0000000100000000000000FE', '000000010000000100000001', MiB16)).toEqual([
      '0000000100000000000000FE',
      '0000000100000000000000FF',
      '000000010000000100000000',
      '000000010000000100000001',
    ]);
    expect(segmentOf('1/5A001230', 3, MiB16)).toBe('00000003000000010000005A');
    expect(lsnToNumber('1/0')).toBe(2 ** 32);
  });

  test('a recovery reads the segment of a switch under the later name', () => {
    const history = historyOf('1\t0/5000098\tno recovery target specified\n');
    expect(segmentsAlong('000000010000000000000003', '000000020000000000000006', history)).toEqual([
      '000000010000000000000003',
      '000000010000000000000004',
      '000000020000000000000005',
      '000000020000000000000006',
    ]);
  });

  test('a backup that is no ancestor of the point leads nowhere', () => {
    const history = historyOf('1\t0/5000098\tno recovery target specified\n');
    expect(segmentsAlong('000000030000000000000003', '000000020000000000000006', history)).toBeUndefined();
    // Begun on the old timeline after it was left: the old primary went on by itself.
    expect(segmentsAlong('000000010000000000000007', '000000020000000000000009', history)).toBeUndefined();
  });
});
