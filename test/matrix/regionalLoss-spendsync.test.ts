/** The region of SpendSync's primary is lost: the other region from its own copies only. */
import { labHarm } from '../../lab/commands.js';
import { portOf } from '../../lab/ports.js';
import { Trap } from '../support/files.js';
import { cell } from './support/cell.js';
import { approvedBy, sworn, worldIsRight, writeAndArchiveWal } from './support/world.js';

const trap = new Trap();
afterAll(() => trap.close());

cell({
  scenario: 'regionalLoss',
  system: 'spendsync',
  lab: { systems: ['spendsync'] },
  strike: async (stage) => {
    const safe = await writeAndArchiveWal(stage);
    const { at } = await labHarm('regional-loss', 'spendsync', { dir: stage.lab.dir });
    await trap.open(portOf(stage.lab.state.regions.west.endpoint));
    return { begin: ['--detected-at', at], safe };
  },
  withoutProof: sworn('the region is gone, nobody reaches anything there', 'on-call', 'engineering-lead'),
  approve: approvedBy({ point: 'on-call', promote: 'engineering-lead' }),
  look: worldIsRight({ from: 'west', to: 'east', table: 'spend.expenses' }),
  also: {
    'reads nothing from the lost region': async () => expect(trap.connections).toBe(0),
  },
});
