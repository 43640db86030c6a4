/** A clean-up job deletes and overwrites files: the versions from before come back, and nothing else is touched. */
import type { FilesReconciled, ObjectsRestored } from '../../activities/contract.js';
import { breakObjects, type ObjectLoss } from '../../lab/break/object-loss.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { filesAreRight, filesIn, rowsAt, type Sums, versionsIn } from '../support/files.js';
import { cell } from './support/cell.js';

let loss: ObjectLoss;
let before: Sums;

cell({
  scenario: 'objectLoss',
  system: 'payymo',
  strike: async ({ lab }) => {
    await waitForPayments(lab.state, 25);
    before = await filesIn(lab.state, 'west');
    loss = await breakObjects(lab.state);
    await waitForPayments(lab.state, 25);
    return { begin: ['--before', loss.startedAt, '--until', loss.finishedAt], safe: new Set() };
  },
  look: async ({ lab, result }) => {
    const told = result.outputs['reconcile-files'] as FilesReconciled;
    const [rows, files] = await Promise.all([rowsAt(lab.state, 'west'), filesIn(lab.state, 'west')]);
    const changed = [...before].filter(([key, sum]) => files.get(key) !== sum);
    return [...changed.map(([key]) => `${key} is not as it was`), ...filesAreRight(rows, files, told)];
  },
  also: {
    'brings back what the mistake took, and only that': async ({ lab, result }) => {
      const { restored } = result.outputs['restore-files'] as ObjectsRestored;
      expect(restored).toBe(loss.deleted.length + loss.overwritten.length);
      const versions = await versionsIn(lab.state, 'west');
      const touched = new Set([...loss.deleted, ...loss.overwritten]);
      for (const key of before.keys())
        expect([key, versions.get(key)]).toEqual([key, touched.has(key) ? 3 : 1]);
    },
    'has the steps for a lost bucket say that there is nothing to do': async ({ result }) => {
      for (const step of ['make-bucket', 'fill-bucket']) {
        expect(result.outputs[step]).toMatchObject({ summary: expect.stringMatching(/^nothing to do/) });
      }
    },
    'leaves the copies in the other region as the files are': async ({ lab, result }) => {
      expect(result.outputs['copy-again']).toMatchObject({ damagedCount: 0 });
      const copies = await filesIn(lab.state, 'east');
      for (const [key, sum] of before) expect([key, copies.get(key)]).toEqual([key, sum]);
    },
  },
});
