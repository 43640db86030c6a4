/** The bucket of the documents is deleted with all its versions: it is made anew and filled from the other provider's. */
import type { BucketSynced, FilesReconciled } from '../../activities/contract.js';
import { labHarm } from '../../lab/commands.js';
import { type Sums, sumsIn } from '../support/files.js';
import { cell } from './support/cell.js';
import {
  bucketIsRight,
  copiedToTheEast,
  documentsAreRight,
  documentsBucket,
  type HandedIn,
  moreHandedIn,
} from './support/documents.js';
import { approvedBy, moreAcknowledged, worldNow } from './support/world.js';

let copies: Sums;
let safe: readonly HandedIn[];

cell({
  scenario: 'objectLoss',
  system: 'practice-hub',
  variant: 'bucket',
  lab: { systems: ['practice-hub'] },
  diagnosed: 'objectLoss',
  strike: async (stage) => {
    await moreHandedIn(stage, 2);
    safe = await copiedToTheEast(stage);
    const how = { dir: stage.lab.dir, objects: 'bucket' } as const;
    const { at } = await labHarm('object-loss', 'practice-hub', how);
    await moreAcknowledged(await worldNow(stage), 3);
    copies = await sumsIn(documentsBucket(stage, 'east'));
    return { begin: ['--detected-at', at], safe: new Set() };
  },
  approve: approvedBy({ files: 'on-call' }),
  look: async (recovered) => {
    const told = recovered.result.outputs['reconcile-files'] as FilesReconciled;
    const files = await sumsIn(documentsBucket(recovered, 'west'));
    const missing = [...copies].filter(([key, sum]) => files.get(key) !== sum);
    const place = { site: 'west', region: 'west' } as const;
    return [
      ...missing.map(([key]) => `${key} did not come back`),
      ...(await bucketIsRight(recovered, 'west')),
      ...(await documentsAreRight(recovered, place, told, safe)),
    ];
  },
  also: {
    'copies every file of the other bucket': async ({ result }) => {
      const { copied, damagedCount } = result.outputs['fill-bucket'] as BucketSynced;
      expect({ copied, damagedCount }).toEqual({ copied: copies.size, damagedCount: 0 });
    },
    'lets clients hand documents in again': async (recovered) => moreHandedIn(recovered, 1),
  },
});
