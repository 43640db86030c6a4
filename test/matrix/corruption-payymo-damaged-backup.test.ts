/** Backups that cannot be used: found before anything is promoted, with what is wrong where and what to do about it. */
import { waitForPayments } from '../../lab/demo/payments.js';
import type { RunView } from '../../src/model/run.js';
import {
  COMMANDER,
  gateOpens,
  printed,
  recoverArgs,
  type Sight,
  SYSTEM,
  stepFails,
  stepIs,
  stepOf,
  useIncident,
} from '../support/incident.js';
import { useLab } from '../support/lab.js';
import { changePassphrases, flipBytes, loseSegment } from '../support/repositories.js';

const lab = useLab({ worker: 'when-built' });
const incident = useIncident(lab);
let damagedSince: string;

const both = ['restore', 'verify-repository'] as const;
const bothFail: Sight = (seen) => both.every((step) => stepFails(step)(seen));

async function abort(): Promise<void> {
  const why = ['--reason', 'the backups cannot be used', '--yes'];
  expect((await incident.muster('abort', SYSTEM, '--by', COMMANDER, ...why)).code).toBe(0);
  const { run } = printed<{ run: RunView }>(await incident.muster('watch', SYSTEM, '--json'));
  expect(run.status).toBe('aborted');
  // The damaged primary is what there is: it goes on.
  await waitForPayments(lab.state, 5);
}

/** What `muster status` shows to a person, on one line. */
async function shown(): Promise<string> {
  const { code, stdout } = await incident.muster('status', SYSTEM);
  expect(code).toBe(3);
  return stdout.replace(/\s+/g, ' ');
}

it('a wrong key of the repositories is told before anything is touched', async () => {
  damagedSince = (await incident.happen()).startedAt;
  const { backupConfig } = lab.state.ledger.sites.recovery;
  const repair = await changePassphrases(backupConfig);
  const refused = await incident.recover(damagedSince);
  expect(refused.code).toBe(2);
  expect(printed<{ error: object }>(refused).error).toMatchObject({
    code: 'WrongRepositoryKey',
    message: expect.stringContaining('Nothing has been started.'),
    next: expect.stringContaining(backupConfig),
  });
  expect((await incident.muster('status', SYSTEM)).stderr).toContain('NoSuchRun');

  // Begun in spite of it, the run waits for a person before its first step that production would feel.
  expect((await incident.muster(...recoverArgs(damagedSince), '--no-preflight')).code).toBe(0);
  const seen = await incident.until(
    (now) => bothFail(now) && gateOpens('point')(now),
    'both steps fail',
    both,
  );
  for (const step of both) expect(stepOf(seen, step).failure?.code).toBe('WrongRepositoryKey');
  expect(await incident.claims()).toEqual([]);
  await repair();
  await abort();
}, 240_000);

it('the damaged file is named; from a repository that was mended the same run goes on', async () => {
  const repairs = { west: await flipBytes(lab.state, 'west'), east: await flipBytes(lab.state, 'east') };
  await incident.begin(damagedSince);
  await incident.until(gateOpens('point'), 'the gate of the point opens', both);
  await incident.approve('point');
  await incident.until(
    (seen) => bothFail(seen) && stepIs('preserve-damaged', 'done')(seen),
    'both steps fail while the primary is put away',
    both,
  );
  const status = await shown();
  const file = /invalid checksum (\S+F\/pg_data\/[\w./]+\w)/.exec(status)?.[1] ?? '';
  expect(file).not.toBe('');
  expect(status).toMatch(/FAILED restore .* None of 2 repositories could be restored from\./);
  expect(status).toMatch(/Next: Choose an older backup .* or repair repository 1 .* then retry the step/);
  expect(status).toMatch(/FAILED verify-repository .* no repository is sound/);
  expect((await incident.claims()).map(({ kind }) => kind)).toEqual(['fence']);

  await repairs.east();
  for (const step of both) {
    const why = ['--reason', 'the off-site copy was mended'];
    expect((await incident.muster('retry', SYSTEM, step, '--by', COMMANDER, ...why)).code).toBe(0);
  }
  const ready = await incident.until(gateOpens('promote'), 'the gate of the promotion opens', both);
  expect(stepOf(ready, 'restore').summary).toMatch(/from repository 2 .* Passed over: .* from repository 1 /);
  expect(stepOf(ready, 'verify-repository').summary).toMatch(/NOT SOUND: repository 1 /);
  expect(stepOf(ready, 'verify-repository').summary).toContain(file);
  await repairs.west();
  await abort();
}, 240_000);

it('a hole in the archived log is named, with what can still be reached', async () => {
  const archived = [await loseSegment(lab.state, 'west'), await loseSegment(lab.state, 'east')];
  const before = await incident.claims();
  await incident.begin((await incident.happen()).startedAt);
  const seen = await incident.until(stepFails('propose-point'), 'the point cannot be proposed');
  expect(gateOpens('point')(seen)).toBe(false);
  expect(await incident.claims()).toEqual(before);
  const status = await shown();
  for (const lost of archived) expect(status).toContain(`WAL segment ${lost} is missing in repository`);
  expect(status).toMatch(/Next: Bring the segment back from another copy of the archive, or choose 20/);
  const [, from = '', to = ''] = /it covers from (\S+Z) to (\S+Z)/.exec(status) ?? [];
  expect(from < to).toBe(true);
  await abort();
}, 240_000);
