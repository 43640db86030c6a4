/** A bad change damages Practice Hub's data: back to the moment before it; documents handed in before keep row and file. */
import type { LossReport } from '../../activities/contract.js';
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import {
  documentRows,
  documentsAreRight,
  type HandedIn,
  handedIn,
  moreHandedIn,
} from './support/documents.js';
import { approvedBy, moreAcknowledged, worldIsRight, worldNow, writeAndArchiveWal } from './support/world.js';

let safe: readonly HandedIn[];

cell({
  scenario: 'corruption',
  system: 'practice-hub',
  lab: { systems: ['practice-hub'] },
  strike: async (stage) => {
    await moreHandedIn(stage, 2);
    safe = await handedIn(stage);
    const records = await writeAndArchiveWal(stage);
    const { at } = await labHarm('corruption', 'practice-hub', { dir: stage.lab.dir });
    await moreAcknowledged(await worldNow(stage), 3);
    await moreHandedIn(stage, 1);
    return { begin: ['--before', at], safe: records };
  },
  approve: approvedBy({ point: 'on-call', promote: 'technical-lead' }),
  look: async (recovered) => [
    ...(await worldIsRight({ from: 'west', to: 'recovery', table: 'hub.clients' })(recovered)),
    ...(await documentsAreRight(recovered, { site: 'recovery', region: 'west' }, undefined, safe)),
  ],
  also: {
    'names every document whose row is lost': async (recovered) => {
      const { classes } = recovered.result.outputs['measure-loss'] as LossReport;
      const rows = await documentRows(recovered, 'recovery');
      const lost = (await handedIn(recovered)).filter(({ key }) => !rows.has(key)).map(({ id }) => id);
      expect(lost.length).toBeGreaterThan(0);
      expect([...(classes.documents?.sample ?? [])].sort()).toEqual(lost.sort());
    },
  },
});
