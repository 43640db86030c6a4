/** Practice Hub's provider is out: the hot standby at the other one takes over, and the documents go on in the bucket there. */
import type { FilesReconciled, StandbyCaughtUp, WaysOpen } from '../../activities/contract.js';
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import {
  bucketIsRight,
  copiedToTheEast,
  documentsAreRight,
  type HandedIn,
  moreHandedIn,
} from './support/documents.js';
import { approvedBy, sworn, worldIsRight, writeAndArchiveWal } from './support/world.js';

let kept: readonly HandedIn[];

cell({
  scenario: 'providerOutage',
  system: 'practice-hub',
  lab: { systems: ['practice-hub'], standby: 'raised' },
  strike: async (stage) => {
    await moreHandedIn(stage, 2);
    kept = await copiedToTheEast(stage);
    const safe = await writeAndArchiveWal(stage);
    const { at } = await labHarm('provider-outage', 'practice-hub', { dir: stage.lab.dir });
    return { begin: ['--detected-at', at], safe };
  },
  diagnosed: 'providerOutage',
  withoutProof: sworn('the provider is dark, and its support says so', 'on-call', 'technical-lead'),
  approve: approvedBy({ point: 'on-call', promote: 'technical-lead' }),
  look: async (recovered) => {
    const told = recovered.result.outputs['reconcile-documents'] as FilesReconciled;
    return [
      ...(await worldIsRight({ from: 'west', to: 'standby', table: 'hub.clients' })(recovered)),
      ...(await bucketIsRight(recovered, 'east')),
      ...(await documentsAreRight(recovered, { site: 'standby', region: 'east' }, told, kept)),
    ];
  },
  also: {
    'found the standby fit, and restored nothing': async ({ result: { outputs, view } }) => {
      expect((outputs['look-at-ways'] as WaysOpen).standby.unfit).toEqual([]);
      expect((outputs['catch-up'] as StandbyCaughtUp).timeline).toBe(1);
      const restore = view.steps.find(({ name }) => name === 'restore');
      expect(restore?.summary).toBe('nothing to do: the standby takes over');
    },
    'reminded of people outside': async ({ result: { view } }) => {
      expect(view.warnings.map(({ text }) => text)).toContain(
        'people outside wait for an update: muster update practice-hub --next "30 min"',
      );
    },
  },
});
