/** A region is gone when the ledger has to be recovered: the repository in it does not answer, and archiving stands still. */

import { eventually } from '../support/eventually.js';
import { COMMANDER, gateOpens, SYSTEM, stepIs, stepOf, useIncident } from '../support/incident.js';
import { onLedger, useLab } from '../support/lab.js';

const lab = useLab({ worker: 'when-built' });
const incident = useIncident(lab);

/** Has the damage archived before the region is lost: what was not yet archived then is nowhere else. */
function archiveEverything(): Promise<void> {
  return onLedger(lab.state, lab.state.ledger.admin, async (ledger) => {
    const { rows } = await ledger.query('select pg_walfile_name(pg_switch_wal()) as segment');
    await eventually(async () => {
      const archived = 'select from pg_stat_archiver where last_archived_wal >= $1';
      expect((await ledger.query(archived, [rows[0].segment])).rowCount).toBe(1);
    });
  });
}

it('builds and verifies a copy from the other region, and says what does not answer', async () => {
  const { startedAt } = await incident.happen();
  await archiveEverything();
  process.kill(lab.state.parts['s3-west']?.pid as number, 'SIGKILL');

  const begin = ['recover', 'corruption', SYSTEM, '--before', startedAt, '--by', COMMANDER];
  const begun = await incident.muster(...begin, '--yes', '--no-watch');
  expect(begun.code).toBe(0);
  expect(begun.stdout).toMatch(
    /not every\s+repository can be read:\s+(Reading\s+)?repository 1 of\s+payymo/i,
  );

  const seen = await incident.until(
    (now) => gateOpens('point')(now) && stepIs('verify-application', 'done')(now),
    'the copy is verified',
  );
  expect(stepOf(seen, 'propose-point').summary).toMatch(
    /from repository 2 .*repository 1 .*does not lead there .*HostConnectError/,
  );
  expect(stepOf(seen, 'restore')).toMatchObject({
    begun: 1,
    summary: expect.stringContaining('from repository 2'),
  });
}, 300_000);
