/** A clean-up job deletes and overwrites documents: the versions from before come back, and nothing else is touched. */
import type { FilesReconciled, ObjectsRestored } from '../../activities/contract.js';
import type { ObjectLoss } from '../../lab/break/object-loss.js';
import { labHarm } from '../../lab/commands.js';
import { type Sums, sumsIn, versionsOf } from '../support/files.js';
import { cell } from './support/cell.js';
import {
  documentsAreRight,
  documentsBucket,
  type HandedIn,
  handedIn,
  moreHandedIn,
} from './support/documents.js';
import { approvedBy, moreAcknowledged, worldNow } from './support/world.js';

let loss: ObjectLoss;
let before: Sums;

cell({
  scenario: 'objectLoss',
  system: 'practice-hub',
  lab: { systems: ['practice-hub'] },
  diagnosed: 'objectLoss',
  strike: async (stage) => {
    await moreHandedIn(stage, 2);
    before = await sumsIn(documentsBucket(stage, 'west'));
    const { objects } = await labHarm('object-loss', 'practice-hub', { dir: stage.lab.dir });
    if (objects === undefined) throw new Error('no file is lost');
    loss = objects;
    await moreHandedIn(stage, 1);
    return { begin: ['--before', loss.startedAt, '--until', loss.finishedAt], safe: new Set() };
  },
  approve: approvedBy({ files: 'on-call' }),
  look: async (recovered) => {
    const told = recovered.result.outputs['reconcile-files'] as FilesReconciled;
    await moreAcknowledged(await worldNow(recovered), 3);
    const files = await sumsIn(documentsBucket(recovered, 'west'));
    const changed = [...before].filter(([key, sum]) => files.get(key) !== sum);
    const place = { site: 'west', region: 'west' } as const;
    // What came in while the clean-up went through the bucket may be among what it took, and has no version from before.
    const meanwhile = ({ at }: HandedIn) =>
      Date.parse(at) >= Date.parse(loss.startedAt) && Date.parse(at) <= Date.parse(loss.finishedAt) + 500;
    const kept = (await handedIn(recovered)).filter((one) => !meanwhile(one));
    return [
      ...changed.map(([key]) => `${key} is not as it was`),
      ...(await documentsAreRight(recovered, place, told, kept)),
    ];
  },
  also: {
    'brings back what the mistake took, and only that': async (recovered) => {
      const { restored } = recovered.result.outputs['restore-files'] as ObjectsRestored;
      expect(restored).toBe(loss.deleted.length + loss.overwritten.length);
      const versions = await versionsOf(documentsBucket(recovered, 'west'));
      const touched = new Set([...loss.deleted, ...loss.overwritten]);
      for (const key of before.keys())
        expect([key, versions.get(key)]).toEqual([key, touched.has(key) ? 3 : 1]);
    },
  },
});
