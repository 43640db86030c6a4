/** What MoneyFlow's and AccuBooks' owners demand stands in their runbooks, and what they cannot hold is said. */
import { readFileSync } from 'node:fs';
import { findingsOf } from '../../src/runbook/findings.js';
import { type LoadedRunbook, loadRunbook, readRunbook } from '../../src/runbook/load.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';

const minutes = 60_000;
const hours = 60 * minutes;
const days = 24 * hours;

let moneyflow: LoadedRunbook;
let accubooks: LoadedRunbook;
beforeAll(async () => {
  moneyflow = await loadRunbook('runbooks/moneyflow.yaml');
  accubooks = await loadRunbook('runbooks/accubooks.yaml');
});

const archiveOf = ({ runbook }: LoadedRunbook): ArchiveBackup => {
  const backup = runbook.backups.daily;
  if (backup?.driver !== 'archive') throw new Error('it is not backed up by archives');
  return backup;
};
const objectivesOf = ({ runbook: { objectives } }: LoadedRunbook) => ({
  rto: [...new Set(Object.values(objectives.components).map(({ rto }) => rto))],
  rpo: [...new Set(Object.values(objectives.dataClasses).map(({ rpo }) => rpo))],
});
const foundAt = ({ runbook, source }: LoadedRunbook, severity: string) =>
  findingsOf(runbook, source)
    .filter((each) => each.severity === severity)
    .map(({ field, what, proposal }) => ({ field, what, proposal }));

describe('MoneyFlow', () => {
  test('is held to 30 minutes and 24 hours', () => {
    expect(objectivesOf(moneyflow)).toEqual({ rto: [30 * minutes], rpo: [24 * hours] });
  });

  test('has its estimates, promised tests and the order in which it escalates', () => {
    const { owner, people } = moneyflow.runbook;
    expect(Object.values(owner?.procedures ?? {}).map(({ takes }) => takes)).toEqual([
      15 * minutes,
      2 * hours,
      4 * hours,
    ]);
    expect(Object.values(owner?.tests ?? {}).map(({ every }) => every / days)).toEqual([1, 30, 91]);
    expect(people.map(({ name }) => name)).toEqual([
      ...['on-call-dba', 'team-lead', 'technical-director'],
      'security-lead',
    ]);
    expect(owner?.standards).toEqual(['GDPR', 'SOX']);
  });

  test('has a scenario for every procedure of its owner', () => {
    const procedures = Object.values(moneyflow.runbook.owner?.procedures ?? {});
    expect(procedures.map(({ scenario }) => scenario)).toEqual([
      'corruption',
      'infrastructureFailure',
      'providerOutage',
    ]);
    expect(foundAt(moneyflow, 'advice').filter(({ field }) => field.startsWith('owner.'))).toEqual([]);
  });

  test('keeps its archives beside the server, off-site and with another provider', () => {
    const { copies, takenEvery, jobs, retention, schedule } = archiveOf(moneyflow);
    expect(copies.map(({ failureDomain }) => failureDomain)).toEqual([
      'provider-one/us-west-2/us-west-2a',
      'provider-one/us-west-2',
      'provider-two/us-east-1',
    ]);
    expect({ takenEvery, jobs }).toEqual({ takenEvery: 24 * hours, jobs: 2 });
    expect(retention).toEqual(['30 d (GDPR)', '7 years for financial records (SOX)']);
    expect(schedule[0]).toMatch(/^03:00 UTC every day/);
  });

  test('cannot hold 30 minutes with procedures of 2 and 4 hours, nor 24 hours with a dump a day', () => {
    expect(foundAt(moneyflow, 'warning')).toEqual([
      {
        field: 'backups.daily.takenEvery',
        what: 'invoices, postings may lose at most 24 h, but an archive is made every 24 h and counts only when it is ready: shortly before, 24 h and the time of a dump are lost.',
        proposal: 'Take archives more often than every 24 h, or archive the WAL as well.',
      },
      ...[
        ['server-loss', 'server loss', '2 h'],
        ['data-centre-outage', 'data-centre outage', '4 h'],
      ].map(([name, title, takes]) => ({
        field: `owner.procedures.${name}.takes`,
        what: `The owner's procedure for ${title} takes ${takes}, but database must be back within 30 min.`,
        proposal: expect.stringMatching(
          `^Promise an RTO of at least ${takes} for this disaster, or keep a standby`,
        ),
      })),
    ]);
  });
});

describe('AccuBooks', () => {
  test('is held to 4 hours and 24 hours, in windows', () => {
    expect(objectivesOf(accubooks)).toEqual({ rto: [4 * hours], rpo: [24 * hours] });
    const windows = Object.values(accubooks.runbook.owner?.procedures ?? {}).map(({ phases }) =>
      phases.map(({ from, until }) => [from / minutes, until / minutes]),
    );
    expect(windows.filter((each) => each.length > 0)).toEqual([
      [
        [0, 30],
        [30, 90],
        [90, 180],
        [180, 240],
      ],
      [
        [0, 15],
        [15, 60],
        [60, 240],
      ],
    ]);
  });

  test('restores every dump to check it, and refuses one beyond 10 GB', () => {
    const { check, largestBytes, retention } = archiveOf(accubooks);
    expect({ check, largestBytes, retention }).toEqual({
      check: 'restore',
      largestBytes: 10 * 1024 ** 3,
      retention: ['30 d'],
    });
    const tests = Object.values(accubooks.runbook.owner?.tests ?? {});
    expect(tests.map(({ every }) => every / days)).toEqual([7, 30, 365]);
  });

  test('leaves nothing of the RTO to a late decision', () => {
    const phases = foundAt(accubooks, 'advice').filter(({ field }) => field.endsWith('.phases'));
    expect(phases.map(({ field }) => field)).toEqual([
      'owner.procedures.complete-failure.phases',
      'owner.procedures.data-corruption.phases',
    ]);
    expect(phases[0]?.what).toContain('fill the RTO of 4 h to the last minute');
  });

  const accubooksWith = (from: string, to: string): LoadedRunbook => {
    const text = readFileSync('runbooks/accubooks.yaml', 'utf8');
    expect(text).toContain(from);
    return readRunbook('accubooks.yaml', text.replace(from, to));
  };

  test.each([
    ['a gap', 'from: 90 min, until: 180 min', 'from: 100 min, until: 180 min', /data begins after 100 min/],
    ['no length', 'from: 90 min, until: 180 min', 'from: 90 min, until: 90 min', /data has no length/],
    [
      'beyond the estimate',
      'until: 240 min',
      'until: 5 h',
      /end after 5 h, the procedure is said to take 4 h/,
    ],
  ])('windows with %s are found', (_what, from, to, said) => {
    const warnings = foundAt(accubooksWith(from, to), 'warning');
    expect(warnings.map(({ what }) => what).join('\n')).toMatch(said);
  });

  test('goes back to locked copies after a breach, and to none beside the intruder', () => {
    const lockless = foundAt(accubooksWith('        lockFor: 30 d\n', ''), 'advice');
    expect(lockless).toContainEqual(expect.objectContaining({ field: 'backups.daily.copies[2]' }));
    expect(foundAt(accubooks, 'advice').map(({ field }) => field)).not.toContain('backups.daily.copies[2]');
    expect(() => accubooksWith('copies: [3]', 'copies: [1]')).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({
            field: 'scenarios.breach.copies[0]',
            allowed: expect.stringMatching(/^a bucket: a folder keeps no versions/),
          }),
        ],
      }),
    );
  });

  test('a site without a configuration of pgBackRest is enough for archives, not for physical backups', () => {
    expect(accubooks.runbook.sites.west?.postgres).not.toHaveProperty('backupConfig');
    const payymo = readFileSync('runbooks/payymo.yaml', 'utf8');
    const text = payymo.replace('      backupConfig: /etc/pgbackrest/ledger-west.conf\n', '');
    expect(() => readRunbook('payymo.yaml', text)).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({
            field: 'sites.west.postgres.backupConfig',
            allowed: expect.stringContaining('ledger is made with it'),
          }),
        ],
      }),
    );
  });
});
