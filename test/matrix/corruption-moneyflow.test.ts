/** A bad change damages MoneyFlow's data: back to the newest dump from before it. */
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { approvedBy, moreAcknowledged, worldIsRight, worldNow, writeAndArchive } from './support/world.js';

cell({
  scenario: 'corruption',
  system: 'moneyflow',
  lab: { systems: ['moneyflow'] },
  strike: async (stage) => {
    const safe = await writeAndArchive(stage);
    const { at } = await labHarm('corruption', 'moneyflow', { dir: stage.lab.dir });
    await moreAcknowledged(await worldNow(stage), 3);
    return { begin: ['--before', at], safe };
  },
  approve: approvedBy({ point: 'on-call-dba', promote: 'team-lead' }),
  look: worldIsRight({ from: 'west', to: 'recovery', table: 'books.invoices' }),
});
