/** Somebody was in: a clean copy takes over with new credentials, and what the intruder left is kept as evidence. */
import type { RecoveryPoint } from '../../activities/contract.js';
import { type Breach, breakIn } from '../../lab/break/breach.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { BACKUP_BUCKET } from '../../lab/parts/s3.js';
import type { LabState } from '../../lab/state.js';
import { onLedger } from '../support/lab.js';
import { payAndArchive } from '../support/payments.js';
import {
  expectEvidence,
  expectLocked,
  expectOldCredentialsDead,
  expectOpenInvestigation,
  expectSigns,
  gatedBySecurity,
} from './support/breach.js';
import { cell } from './support/cell.js';
import { labNow, ledgerIsRight } from './support/ledger.js';

/** As it was before the intruder came: every password in it is stolen. */
let stolen: LabState;
let breach: Breach;

cell({
  scenario: 'breach',
  system: 'payymo',
  strike: async (stage) => {
    stolen = await labNow(stage);
    const safe = new Set(await payAndArchive(stage.lab, stage.incident));
    breach = await breakIn(stolen);
    await waitForPayments(stolen, 5);
    return { begin: ['--detected-at', new Date().toISOString()], safe };
  },
  approve: gatedBySecurity((incident, gate) => incident.approve(gate)),
  // The new primary is looked at with the new passwords.
  look: async (recovered) => {
    const state = await labNow(recovered);
    const lab = { dir: recovered.lab.dir, state };
    return ledgerIsRight({ from: 'west', to: 'recovery' })({ ...recovered, lab });
  },
  also: {
    'goes back to the very moment before the intruder': async ({ result }) => {
      expectSigns(result, [...breach.left, 'ledger.users.email', 'ledger.users.display_name']);
      const { time, backup } = result.outputs['propose-point'] as RecoveryPoint;
      expect(time > breach.startedAt && time < breach.finishedAt).toBe(true);
      expect(Date.parse(time) - Date.parse(breach.startedAt)).toBeLessThan(2_000);
      expect(backup.repository).toBe(2);
    },

    'lets nobody in with anything stolen, neither here nor there': async (recovered) => {
      const { ledger } = await labNow(recovered);
      const { admin, app, deploy, sites } = stolen.ledger;
      await expectOldCredentialsDead(recovered.result, {
        database: ledger.database,
        stolen: [admin, app, deploy, breach.backdoor],
        renewed: [ledger.admin, ledger.app, ledger.deploy],
        ...{ old: sites.west, now: sites.recovery },
      });
    },

    'has nothing of the intruder in the new primary': async (recovered) => {
      const state = await labNow(recovered);
      const left = await onLedger(
        state,
        state.ledger.admin,
        async (client) =>
          (
            await client.query<{ what: string }>(
              `select rolname as what from pg_roles where rolname = 'ledger_maintenance'
               union all select proname from pg_proc where proname = 'settle'
               union all select tgname from pg_trigger where tgname = 'settle'
               union all select extname from pg_extension where extname = 'dblink'
               union all select relname from pg_class where relname in ('read_me', 'settlement_cache')
               union all select email from ledger.users where email not like '%@%'`,
            )
          ).rows,
        state.ledger.sites.recovery,
      );
      expect(left).toEqual([]);
    },

    'keeps evidence that nobody can change, and that is the cluster to the byte': ({ result }) =>
      expectEvidence(stolen, result),

    'leaves the investigation to people': (recovered) =>
      expectOpenInvestigation(recovered, 'ledger_maintenance'),

    'was rebuilt from what the intruder could not delete': async () => {
      expect(breach.deletedObjects).toBeGreaterThan(0);
      expect(breach.lockedObjects).toBeGreaterThan(0);
      await expectLocked(stolen, BACKUP_BUCKET, breach);
    },
  },
});
