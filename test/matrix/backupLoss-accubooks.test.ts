/** A bad change has damaged AccuBooks, and its archives are lost or overwritten: what a bucket kept of the newest one is found. */
import type { CopyFound } from '../../activities/contract.js';
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { acknowledgedBy, approvedBy, moreAcknowledged, worldIsRight, worldNow } from './support/world.js';

cell({
  scenario: 'backupLoss',
  system: 'accubooks',
  lab: { systems: ['accubooks'] },
  strike: async (stage) => {
    const world = await worldNow(stage);
    await moreAcknowledged(world, 4);
    const before = await acknowledgedBy(world);
    // It takes the newest archive, and spoils it.
    const { at } = await labHarm('backup-loss', 'accubooks', { dir: stage.lab.dir });
    await moreAcknowledged(world, 4);
    return { begin: ['--detected-at', at], safe: new Set(before.map(({ id }) => id)) };
  },
  approve: approvedBy({ point: 'operations', promote: 'data-owner' }),
  look: worldIsRight({ from: 'west', to: 'recovery', table: 'chrona.time_entries' }),
  also: {
    'tries the damaged server first, and says what was wrong with every other copy': async ({ result }) => {
      const { id, kind, tried } = result.outputs['try-copies'] as CopyFound;
      expect({ id, kind }).toEqual({
        id: expect.stringMatching(/^daily\/2-earlier\/.+-full$/),
        kind: 'archive',
      });
      const of = (name: RegExp) => tried.find((one) => name.test(one.id));
      expect(tried[0]).toMatchObject({
        id: 'damaged',
        outcome: 'failed',
        says: expect.stringContaining('Rung 7'),
      });
      expect(of(/^daily\/1$/)?.says).toBe('it holds no full archive of this system');
      expect(of(/^daily\/2\//)?.says).toContain('manifest');
      expect(of(/^daily\/3-earlier\//)?.outcome).toBe('not tried');
    },
  },
});
