/** Practice Hub's server is gone with its disk: all that was archived comes back on another one, and every document is there. */
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { documentsAreRight, type HandedIn, handedIn, moreHandedIn } from './support/documents.js';
import { approvedBy, sworn, worldIsRight, writeAndArchiveWal } from './support/world.js';

let safe: readonly HandedIn[];

cell({
  scenario: 'infrastructureFailure',
  system: 'practice-hub',
  lab: { systems: ['practice-hub'] },
  strike: async (stage) => {
    await moreHandedIn(stage, 2);
    safe = await handedIn(stage);
    const records = await writeAndArchiveWal(stage);
    const { at } = await labHarm('infrastructure-failure', 'practice-hub', { dir: stage.lab.dir });
    return { begin: ['--detected-at', at], safe: records };
  },
  withoutProof: sworn('the rack is empty, two of us stand before it', 'on-call', 'technical-lead'),
  approve: approvedBy({ point: 'on-call', promote: 'technical-lead' }),
  look: async (recovered) => [
    ...(await worldIsRight({ from: 'west', to: 'recovery', table: 'hub.clients' })(recovered)),
    ...(await documentsAreRight(recovered, { site: 'recovery', region: 'west' }, undefined, safe)),
  ],
});
