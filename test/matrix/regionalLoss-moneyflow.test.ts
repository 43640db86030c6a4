/** The west is lost with MoneyFlow's server, its local dumps and those in the west's store: the newest dump of the east is loaded there. */
import type { RecoveryPoint } from '../../activities/contract.js';
import { labHarm } from '../../lab/commands.js';
import { portOf } from '../../lab/ports.js';
import { Trap } from '../support/files.js';
import { cell } from './support/cell.js';
import { approvedBy, sworn, worldIsRight, writeAndArchive } from './support/world.js';

const trap = new Trap();
afterAll(() => trap.close());

cell({
  scenario: 'regionalLoss',
  system: 'moneyflow',
  lab: { systems: ['moneyflow'] },
  strike: async (stage) => {
    const safe = await writeAndArchive(stage);
    const { at } = await labHarm('regional-loss', 'moneyflow', { dir: stage.lab.dir });
    await trap.open(portOf(stage.lab.state.regions.west.endpoint));
    return { begin: ['--detected-at', at], safe };
  },
  withoutProof: sworn('the whole region is dark, and its operator says so', 'on-call-dba', 'team-lead'),
  approve: approvedBy({ point: 'on-call-dba', promote: 'team-lead' }),
  look: worldIsRight({ from: 'west', to: 'east', table: 'books.invoices' }),
  also: {
    'reads nothing from the lost region': async ({ result }) => {
      expect(trap.connections).toBe(0);
      const { archive } = result.outputs['propose-point'] as RecoveryPoint;
      expect(archive?.passedOver).toEqual([]);
    },
  },
});
