/** What Practice Hub's owner demands stands in the runbook, and what cannot be held is said. */
import { readFileSync } from 'node:fs';
import { copiesOf } from '../../src/runbook/crosscheck/copies.js';
import { findingsOf } from '../../src/runbook/findings.js';
import { type LoadedRunbook, loadRunbook, readRunbook } from '../../src/runbook/load.js';

const minutes = 60_000;
const hours = 60 * minutes;
const days = 24 * hours;

let hub: LoadedRunbook;
beforeAll(async () => {
  hub = await loadRunbook('runbooks/practice-hub.yaml');
});

const procedure = (name: string) => {
  const found = hub.runbook.owner?.procedures[name];
  if (found === undefined) throw new Error(`there is no procedure ${name}`);
  return found;
};

test('it is held to 4 hours and 1 hour', () => {
  const { components, dataClasses } = hub.runbook.objectives;
  expect(Object.values(components).map(({ rto }) => rto / hours)).toEqual([4, 4, 4]);
  expect(Object.values(dataClasses).map(({ rpo }) => rpo / hours)).toEqual([1, 1, 1, 1]);
});

test('WAL goes to the archive continuously, beside a dump at 02:00 with large objects and roles', () => {
  const { hub: physical, dump } = hub.runbook.backups;
  expect(physical).toMatchObject({ driver: 'pgbackrest', walArchivedWithin: 90_000 });
  expect(physical?.retention).toContain('WAL 7 d');
  expect(physical?.schedule).toContain('configuration on change');
  expect(dump).toMatchObject({ driver: 'archive', content: 'full', layout: 'custom', retention: ['30 d'] });
  expect(dump?.schedule.join()).toMatch(/^02:00 UTC every day, custom format with large objects and roles/);
  const places = dump?.driver === 'archive' ? dump.copies.map(({ driver }) => driver) : [];
  expect(places).toEqual(['folder', 's3', 's3']);
});

test('documents are kept in versions for 90 days, and copied every day', () => {
  const { documents } = hub.runbook.objects;
  expect(documents?.syncedEvery).toBe(days);
  expect(documents?.retention).toEqual(['versions 90 d', 'client records 6 years', 'KYC records 5 years']);
  expect(hub.runbook.owner?.rules.join(' ')).toContain('Activity logs go to cold storage every year');
});

test('the data stays in the UK and the EU, and is with two providers', () => {
  const { sites, backups, objects, vault } = hub.runbook;
  const copies = Object.values(backups).flatMap((backup) => copiesOf(backup).copies);
  const buckets = Object.values(objects).flatMap(({ primary, secondary }) => [primary, secondary ?? primary]);
  const domains = [...Object.values(sites), ...copies, ...buckets, vault].map((one) => one.failureDomain);
  expect(new Set(domains.map((domain) => domain.split('/').slice(0, 2).join('/')))).toEqual(
    new Set(['provider-one/eu-west-2', 'provider-two/eu-central-1']),
  );
  expect(sites.standby).toMatchObject({ role: 'standby', region: 'eu-central-1' });
});

test("the owner's disasters are all there, with their times", () => {
  const { owner } = hub.runbook;
  const times = Object.entries(owner?.procedures ?? {}).map(([name, { takes, scenario }]) => [
    name,
    scenario,
    takes === undefined ? undefined : takes / minutes,
  ]);
  expect(times).toEqual([
    ['recent-data-loss', 'corruption', 60],
    ['database-loss', 'infrastructureFailure', 240],
    ['file-deletion', 'objectLoss', 10],
    ['bucket-loss', 'objectLoss', 120],
    ['bad-deployment', 'badDeployment', 30],
    ['provider-outage', 'providerOutage', 30],
    ['complete-site-failure', 'providerOutage', 240],
    ['regional-failure', 'regionalLoss', 240],
    ['data-centre-disaster', 'regionalLoss', 240],
    ['all-backups-corrupted', 'backupLoss', undefined],
    ['breach-or-ransomware', 'breach', undefined],
  ]);
});

test("the owner's steps, and the budgets of a complete site failure", () => {
  expect(procedure('recent-data-loss').steps.at(-1)).toBe('test log-in, clients, KYC');
  expect(procedure('bucket-loss').steps.at(-1)).toBe('reapply CORS, policy, versioning');
  const { phases } = procedure('complete-site-failure');
  expect(phases.map(({ from, until }) => (until - from) / minutes)).toEqual([5, 10, 60, 60, 60, 60, 15, 30]);
  for (const name of ['infrastructureFailure', 'regionalLoss'] as const) {
    const { budgets = {} } = hub.runbook.scenarios[name] ?? {};
    const of = (step: string) => (budgets[step] ?? 0) / minutes;
    expect(['look-at-primary', 'provision-target', 'restore', 'cutover', 'validate'].map(of)).toEqual([
      5, 30, 60, 15, 30,
    ]);
  }
  expect(hub.runbook.scenarios.regionalLoss?.budgets['deploy-application']).toBe(60 * minutes);
});

test('who is asked, and what the owner promises', () => {
  const { people, owner } = hub.runbook;
  expect(people.map(({ name }) => name)).toEqual([
    ...['on-call', 'technical-lead', 'provider-support', 'security-lead', 'legal-counsel'],
  ]);
  expect(Object.values(owner?.tests ?? {}).map(({ every }) => every / days)).toEqual([30, 91]);
  expect(owner?.rules.at(-1)).toMatch(/incident report.*affected users told.*post-mortem/);
});

const warnings = ({ runbook, source }: LoadedRunbook) =>
  findingsOf(runbook, source)
    .filter(({ severity }) => severity === 'warning')
    .map(({ field, what, proposal }) => ({ field, what, proposal }));

test('files copied once a day cannot hold an RPO of an hour, nor 4 hours what adds up to 5', () => {
  expect(warnings(hub)).toEqual([
    {
      field: 'objects.documents.syncedEvery',
      what: 'documents may lose at most 1 h, but files are copied to practice-hub-documents-copy every 24 h: what is newer is lost with practice-hub-documents.',
      proposal: expect.stringMatching(/^Copy what is new more often than every 1 h/),
    },
    {
      field: 'owner.procedures.complete-site-failure.phases',
      what: 'The windows of complete site failure end after 5 h, the procedure is said to take 4 h.',
      proposal: expect.stringContaining('Say that it takes 5 h'),
    },
  ]);
});

test('files copied often enough, or with a row of which nobody says how much may be lost, are no finding', () => {
  const text = readFileSync('runbooks/practice-hub.yaml', 'utf8');
  const often = readRunbook('practice-hub.yaml', text.replace('syncedEvery: 24 h', 'syncedEvery: 30 min'));
  expect(warnings(often).map(({ field }) => field)).toEqual([
    'owner.procedures.complete-site-failure.phases',
  ]);
});
