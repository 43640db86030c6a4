/** The bucket is deleted with all its versions: it is made anew and filled from the other region. */
import type { BucketSynced, FilesReconciled } from '../../activities/contract.js';
import { breakObjects } from '../../lab/break/object-loss.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { filesAreRight, filesIn, misconfigured, rowsAt, type Sums } from '../support/files.js';
import { cell } from './support/cell.js';

let copies: Sums;

cell({
  scenario: 'objectLoss',
  system: 'payymo',
  variant: 'bucket',
  diagnosed: 'objectLoss',
  strike: async ({ lab }) => {
    await waitForPayments(lab.state, 25);
    const { startedAt } = await breakObjects(lab.state, 'bucket');
    copies = await filesIn(lab.state, 'east');
    return { begin: ['--detected-at', startedAt], safe: new Set() };
  },
  look: async ({ lab, result }) => {
    const told = result.outputs['reconcile-files'] as FilesReconciled;
    const [rows, files, wrong] = await Promise.all([
      rowsAt(lab.state, 'west'),
      filesIn(lab.state, 'west'),
      misconfigured(lab.state, 'west'),
    ]);
    const missing = [...copies].filter(([key, sum]) => files.get(key) !== sum);
    return [
      ...wrong,
      ...missing.map(([key]) => `${key} did not come back`),
      ...filesAreRight(rows, files, told),
    ];
  },
  also: {
    'copies every file of the other region': async ({ result }) => {
      expect(result.outputs['fill-bucket'] as BucketSynced).toMatchObject({
        copied: copies.size,
        damagedCount: 0,
      });
      expect(result.outputs['restore-files']).toMatchObject({
        summary: expect.stringMatching(/^nothing to do/),
      });
    },
  },
});
