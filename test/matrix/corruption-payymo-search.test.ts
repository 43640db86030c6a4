/** The same bad deployment, and nobody can say since when the data is bad: the newest clean point is searched for. */
import type { RecoveryPoint } from '../../activities/contract.js';
import type { Corruption } from '../../lab/break/corruption.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { cell } from './support/cell.js';
import { ledgerIsRight, paid } from './support/ledger.js';

let damage: Corruption;

cell({
  scenario: 'corruption',
  system: 'payymo',
  variant: 'search',
  strike: async (stage) => {
    await waitForPayments(stage.lab.state, 20);
    const safe = await paid(stage);
    damage = await stage.incident.happen(10);
    return { begin: [], safe };
  },
  look: ledgerIsRight({ from: 'west', to: 'recovery' }),
  also: {
    'goes back to the transaction before the first bad one, and says how it knows': async ({ result }) => {
      const point = result.outputs['propose-point'] as RecoveryPoint;
      const { search } = point;
      // The trigger is switched off first, in a transaction of its own.
      expect(search?.broken.map(({ name }) => name)).toEqual(['append-only']);
      expect(search?.broken[0]?.samples[0]).toContain('append_only');
      const { at } = search?.firstBad ?? { at: '' };
      expect(at > damage.startedAt && at < damage.finishedAt).toBe(true);
      expect((search?.lastGood?.at ?? '') < at).toBe(true);
      expect(point).toMatchObject({ asked: 'searched', time: at });
      const { backups = 0, segments = 0, commits = 0 } = search?.candidates ?? {};
      const halvings = Math.log2(backups) + Math.log2(segments) + Math.log2(commits);
      expect(search?.restores).toBeLessThanOrEqual(Math.ceil(halvings));
      const gate = result.view.steps.find(({ name }) => name === 'gate-point');
      const saw = gate?.decisions.flatMap((decision) => decision.saw) ?? [];
      expect(saw).toContainEqual({
        label: 'first bad commit',
        value: expect.stringContaining(`transaction ${search?.firstBad.xid} of ${at}`),
      });
    },
  },
});
