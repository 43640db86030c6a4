import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { emptyRecoveryLog, readLogLine } from '../../activities/restore/server-log.js';
import { parseControlData } from '../../activities/service/control-data.js';
import { parseChecksums } from '../../activities/verify/checksums.js';
import { converse } from '../../activities/verify/conversation.js';
import { judgeControl } from '../../activities/verify/files.js';
import { parseTransactionEnd } from '../../activities/verify/point.js';
import { parseAmcheckProgress } from '../../activities/verify/structure.js';
import type { BusinessFunction } from '../../src/runbook/schema.js';

// Outputs of PostgreSQL 15.18.
const controlText = `pg_control version number:            1300
Database system identifier:           7710548970306823678
Database cluster state:               shut down in recovery
pg_control last modified:             Sat Nov 21 09:09:06 2026
Latest checkpoint location:           0/65E3C80
Latest checkpoint's REDO location:    0/65E3C48
Latest checkpoint's TimeLineID:       1
Minimum recovery ending location:     0/55E3D68
Min recovery ending loc's timeline:   1
Backup start location:                0/0
Backup end location:                  0/0
End-of-backup record required:        no
Bytes per WAL segment:                16777216
Data page checksum version:           1
`;

describe('control data', () => {
  const point = { systemIdentifier: '7710548970306823678', timeline: 1 };
  const heading = { rung: 2, title: 'control data' };
  const judge =
    (text: string, lsn = '0/55E3D68') =>
    () =>
      judgeControl(heading, parseControlData(text), point, { lsn });

  test('a consistent copy of the right cluster passes', () => {
    expect(judge(controlText)()).toContain('consistent at 0/55E3D68');
  });
  test.each([
    [
      'another cluster',
      '7710548970306823678',
      '7710548970306823679',
      /system identifier 7710548970306823679/,
    ],
    ['another timeline', "loc's timeline:   1", "loc's timeline:   2", /timeline 2 instead of 1/],
    ['a copy that was promoted', 'shut down in recovery', 'shut down', /state "shut down"/],
    [
      'an unfinished base backup',
      'required:        no',
      'required:        yes',
      /base backup was not reached/,
    ],
    ['a copy that is not consistent yet', '0/55E3D68', '0/65E3D68', /consistent only from 0\/65E3D68/],
  ])('%s is refused', (_what, from, to, message) => {
    expect(judge(controlText.replace(from, to))).toThrow(message);
  });
  test('a line that is missing is not taken for good', () => {
    expect(() => parseControlData(controlText.replace(/^Minimum.*\n/m, ''))).toThrow(
      /does not say "Minimum recovery/,
    );
  });
});

test('pg_checksums: counts and the pages that are bad', () => {
  const stdout =
    'Checksum operation completed\nFiles scanned:   952\nBlocks scanned:  3176\nBad checksums:  1\n';
  const stderr = `pg_checksums: error: checksum verification failed in file "/srv/r/base/5/16385", block 3: calculated checksum A1B2 but block contains C3D4\n`;
  expect(parseChecksums(stdout, stderr)).toEqual({
    files: 952,
    blocks: 3176,
    bad: 1,
    named: [{ file: '/srv/r/base/5/16385', block: 3 }],
    errors: [],
  });
  expect(parseChecksums('', 'pg_checksums: error: cluster must be shut down\n').errors).toEqual([
    'cluster must be shut down',
  ]);
});

test('pg_waldump: only the end of a transaction counts', () => {
  const commit =
    'rmgr: Transaction len (rec/tot):     34/    34, tx:        726, lsn: 0/055E3D68, prev 0/055E3D28, desc: COMMIT 2026-11-21 09:08:28.948740 UTC';
  expect(parseTransactionEnd(commit)).toEqual({ what: 'commit', at: '2026-11-21T09:08:28.948740Z' });
  expect(parseTransactionEnd(commit.replace('COMMIT', 'ABORT'))).toMatchObject({ what: 'abort' });
  expect(
    parseTransactionEnd('rmgr: Heap len (rec/tot): 54/ 54, tx: 726, lsn: 0/055E3D28, desc: INSERT off 1'),
  ).toBeUndefined();
});

test('pg_amcheck: progress', () => {
  expect(parseAmcheckProgress('  12/345 relations (3%),   678/9012 pages (7%)')).toEqual({
    relations: 12,
    relationsTotal: 345,
    pages: 678,
    pagesTotal: 9012,
  });
});

describe("the server's log", () => {
  const read = (text: string) => {
    const log = emptyRecoveryLog();
    for (const line of text.split('\n')) readLogLine(log, line);
    return log;
  };

  test('a recovery that reaches its point', () => {
    const log =
      read(`2026-11-21 09:09:04.580 UTC [22427] LOG:  restored log file "000000010000000000000005" from archive
2026-11-21 09:09:04.581 UTC [22423] LOG:  database system is ready to accept read-only connections
2026-11-21 09:09:04.600 UTC [22500] FATAL:  the database system is not yet accepting connections
2026-11-21 09:09:04.671 UTC [22427] LOG:  restored log file "000000010000000000000006" from archive
2026-11-21 09:09:04.672 UTC [22427] LOG:  recovery stopping before commit of transaction 726, time 2026-11-21 09:08:28.94874+00
2026-11-21 09:09:04.672 UTC [22427] LOG:  pausing at the end of recovery`);
    expect(log).toMatchObject({
      segments: 2,
      lastSegment: '000000010000000000000006',
      acceptsReaders: true,
      pausedAtEnd: true,
      stoppedBefore: { what: 'commit', at: '2026-11-21 09:08:28.94874+00' },
      fatal: [],
    });
  });

  test('a recovery that breaks off', () => {
    const log =
      read(`2026-11-21 09:30:34.229 GMT [23878] LOG:  incorrect resource manager data checksum in record at 0/6003D30
2026-11-21 09:30:34.229 GMT [23878] LOG:  redo done at 0/6003CF0 system usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: 0.41 s
2026-11-21 09:30:34.229 GMT [23878] LOG:  last completed transaction was at log time 2026-11-21 09:30:26.125821+00
2026-11-21 09:30:34.229 GMT [23878] FATAL:  recovery ended before configured recovery target was reached
2026-11-21 09:30:34.271 GMT [23875] LOG:  database system is shut down`);
    expect(log).toMatchObject({
      unreadable: ['incorrect resource manager data checksum in record at 0/6003D30'],
      lastPosition: '0/6003CF0',
      lastCommit: '2026-11-21 09:30:26.125821+00',
      fatal: ['recovery ended before configured recovery target was reached'],
      shutDown: true,
    });
  });
});

describe('a conversation', () => {
  let server: Server;
  let url: string;
  const seen: { method: string | undefined; path: string | undefined; body: string }[] = [];

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      seen.push({ method: request.method, path: request.url, body });
      if (request.url === '/payments') response.writeHead(201).end();
      else if (request.url?.startsWith('/payments/')) {
        response.writeHead(200).end(JSON.stringify({ id: request.url.slice('/payments/'.length), cents: 1 }));
      }
      // Anything else is never answered.
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const pay: BusinessFunction = {
    name: 'pay',
    title: 'A payment is taken',
    readOnly: false,
    exchanges: [
      {
        title: 'pay',
        method: 'POST',
        path: '/payments',
        body: { id: '{{uuid}}', cents: 1 },
        expectStatus: 201,
      },
      {
        title: 'read it again',
        method: 'GET',
        path: '/payments/{{uuid}}',
        expectStatus: 200,
        expectBody: { id: '{{uuid}}', cents: 1 },
      },
    ],
  };
  const signal = new AbortController().signal;

  test('goes through its exchanges with one identifier', async () => {
    seen.length = 0;
    const { uuid } = await converse(url, pay, { signal });
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /payments',
      `GET /payments/${uuid}`,
    ]);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ id: uuid, cents: 1 });
  });

  test('names the exchange and the field that is not as expected', async () => {
    const wrong = {
      ...pay,
      exchanges: pay.exchanges.map((one) => ({
        ...one,
        ...(one.expectBody && { expectBody: { cents: 2 } }),
      })),
    };
    await expect(converse(url, wrong, { signal })).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'ConversationFailed',
      message: expect.stringMatching(/read it again, GET .*: cents is 1 instead of 2/),
    });
  });

  test('an application that does not answer is worth another try', async () => {
    const silent = {
      ...pay,
      exchanges: [{ title: 'wait', method: 'GET' as const, path: '/silence', expectStatus: 200 }],
    };
    await expect(converse(url, silent, { signal, timeoutMs: 50 })).rejects.toMatchObject({
      name: 'TransientError',
      code: 'ApplicationUnreachable',
    });
  });
});
