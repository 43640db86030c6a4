/** MoneyFlow's server is gone with its disk and the dumps beside it: the newest dump elsewhere is loaded on another one. */
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { approvedBy, sworn, worldIsRight, writeAndArchive } from './support/world.js';

cell({
  scenario: 'infrastructureFailure',
  system: 'moneyflow',
  lab: { systems: ['moneyflow'] },
  strike: async (stage) => {
    const safe = await writeAndArchive(stage);
    const { at } = await labHarm('infrastructure-failure', 'moneyflow', { dir: stage.lab.dir });
    return { begin: ['--detected-at', at], safe };
  },
  withoutProof: sworn('the rack is empty, two of us stand before it', 'on-call-dba', 'team-lead'),
  approve: approvedBy({ point: 'on-call-dba', promote: 'team-lead' }),
  look: worldIsRight({ from: 'west', to: 'recovery', table: 'books.invoices' }),
});
