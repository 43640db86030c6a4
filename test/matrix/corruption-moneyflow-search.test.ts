/** The same bad change, found only after two more nights, and nobody can say since when: the newest clean archive is searched for. */
import { join } from 'node:path';
import type { RecoveryPoint } from '../../activities/contract.js';
import { labHarm } from '../../lab/commands.js';
import { takeLabArchive } from '../../lab/worlds/archive.js';
import { cell, type Stage } from './support/cell.js';
import { approvedBy, moreAcknowledged, worldIsRight, worldNow, writeAndArchive } from './support/world.js';

/** Labels, oldest first. */
const archives = { damaged: [] as string[] };

const night = async (stage: Stage) =>
  (await takeLabArchive(join(stage.lab.state.runbooks, 'moneyflow.yaml'))).label;

cell({
  scenario: 'corruption',
  system: 'moneyflow',
  variant: 'search',
  lab: { systems: ['moneyflow'] },
  strike: async (stage) => {
    await night(stage);
    const safe = await writeAndArchive(stage);
    await labHarm('corruption', 'moneyflow', { dir: stage.lab.dir });
    for (const _ of ['the next night', 'the one after']) {
      await moreAcknowledged(await worldNow(stage), 2);
      archives.damaged.push(await night(stage));
    }
    return { begin: [], safe };
  },
  approve: approvedBy({ point: 'on-call-dba', promote: 'team-lead' }),
  look: worldIsRight({ from: 'west', to: 'recovery', table: 'books.invoices' }),
  also: {
    'goes back to the newest archive from before the damage, and says how it knows': async ({ result }) => {
      const point = result.outputs['propose-point'] as RecoveryPoint;
      const { archiveSearch: search, archive } = point;
      expect(point.asked).toBe('searched');
      expect(search?.damaged?.label).toBe(archives.damaged[0]);
      expect(search?.clean.label).toBe(archive?.label);
      expect((archive?.label ?? '') < (archives.damaged[0] ?? '')).toBe(true);
      expect(search?.broken.length).toBeGreaterThan(0);
      const { candidates = 0, restores = 0 } = search ?? {};
      expect(candidates).toBeGreaterThanOrEqual(5);
      expect(restores).toBeLessThanOrEqual(1 + Math.ceil(Math.log2(candidates)));
      const gate = result.view.steps.find(({ name }) => name === 'gate-point');
      const saw = gate?.decisions.flatMap((decision) => decision.saw) ?? [];
      expect(saw).toContainEqual({
        label: 'newest clean archive',
        value: expect.stringContaining(`the next one, ${archives.damaged[0]}, is damaged`),
      });
    },
  },
});
