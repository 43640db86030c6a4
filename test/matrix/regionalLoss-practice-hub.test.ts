/** The west is lost with everything in it: Practice Hub goes on with the other provider, from its own copies, and asks nothing of the west. */
import type { FilesReconciled } from '../../activities/contract.js';
import { labHarm } from '../../lab/commands.js';
import { portOf } from '../../lab/ports.js';
import { type Sums, sumsIn, Trap } from '../support/files.js';
import { cell } from './support/cell.js';
import {
  bucketIsRight,
  copiedToTheEast,
  documentsAreRight,
  documentsBucket,
  type HandedIn,
  moreHandedIn,
} from './support/documents.js';
import { approvedBy, sworn, worldIsRight, worldNow, writeAndArchiveWal } from './support/world.js';

const trap = new Trap();
afterAll(() => trap.close());
let copies: Sums;
let safe: readonly HandedIn[];

cell({
  scenario: 'regionalLoss',
  system: 'practice-hub',
  lab: { systems: ['practice-hub'] },
  strike: async (stage) => {
    await moreHandedIn(stage, 2);
    safe = await copiedToTheEast(stage);
    const records = await writeAndArchiveWal(stage);
    const { at } = await labHarm('regional-loss', 'practice-hub', { dir: stage.lab.dir });
    await trap.open(portOf(stage.lab.state.regions.west.endpoint));
    copies = await sumsIn(documentsBucket(stage, 'east'));
    return { begin: ['--detected-at', at], safe: records };
  },
  withoutProof: sworn('the whole region is dark, and its operator says so', 'on-call', 'technical-lead'),
  approve: approvedBy({ point: 'on-call', promote: 'technical-lead' }),
  look: async (recovered) => {
    const told = recovered.result.outputs['reconcile-documents'] as FilesReconciled;
    const files = await sumsIn(documentsBucket(recovered, 'east'));
    const lost = [...copies].filter(([key, sum]) => files.get(key) !== sum);
    return [
      ...(await worldIsRight({ from: 'west', to: 'east', table: 'hub.clients' })(recovered)),
      ...lost.map(([key]) => `${key} is not as its copy was`),
      ...(await bucketIsRight(recovered, 'east')),
      ...(await documentsAreRight(recovered, { site: 'east', region: 'east' }, told, safe)),
    ];
  },
  also: {
    'reads nothing from the lost region': async ({ result }) => {
      expect(trap.connections).toBe(0);
      expect(result.outputs['propose-point']).toMatchObject({ usableRepositories: [2] });
    },
    'opens documents of the other region, and takes new ones there': async (recovered) => {
      const { appUrl } = await worldNow(recovered);
      const [first] = safe;
      const answer = await fetch(`${appUrl}/documents/${first?.id}`);
      expect([answer.status, await answer.json()]).toEqual([
        200,
        expect.objectContaining({ file: 'sound', sha256: first?.sha256 }),
      ]);
      await moreHandedIn(recovered, 1);
    },
  },
});
