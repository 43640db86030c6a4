/** Practice Hub's provider is out, and the hot standby is gone with it: a backup is restored at the other provider. */
import type { WaysOpen } from '../../activities/contract.js';
import { strikeServer, untilGone } from '../../lab/break/strike.js';
import { runningServer } from '../../lab/clusters.js';
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { approvedBy, sworn, worldIsRight, worldNow, writeAndArchiveWal } from './support/world.js';

cell({
  scenario: 'providerOutage',
  system: 'practice-hub',
  variant: 'restore',
  lab: { systems: ['practice-hub'], standby: 'raised' },
  strike: async (stage) => {
    const safe = await writeAndArchiveWal(stage);
    const { at } = await labHarm('provider-outage', 'practice-hub', { dir: stage.lab.dir });
    const standby = await runningServer((await worldNow(stage)).sites.standby?.dataDir ?? '');
    if (standby === undefined) throw new Error('there is no standby that could be lost');
    await untilGone(strikeServer(standby, 'SIGKILL'));
    return { begin: ['--detected-at', at], safe };
  },
  withoutProof: sworn('the provider is dark, and its support says so', 'on-call', 'technical-lead'),
  approve: approvedBy({ point: 'on-call', promote: 'technical-lead' }),
  look: worldIsRight({ from: 'west', to: 'east', table: 'hub.clients' }),
  also: {
    'found the standby gone, and proposed the backup by itself': async ({ result: { outputs, view } }) => {
      const { standby, proposed } = outputs['look-at-ways'] as WaysOpen;
      expect({ proposed, state: standby.state }).toEqual({ proposed: 'east', state: null });
      expect(standby.unfit.join()).toContain('does not let');
      const caughtUp = view.steps.find(({ name }) => name === 'catch-up');
      expect(caughtUp?.summary).toBe('nothing to do: a backup is restored');
    },
  },
});
