/** MoneyFlow runs elsewhere since its server was lost; a new one is at home, and its last state is dumped, loaded there and compared. */
import { homecoming } from './support/homecoming.js';
import { sworn, writeAndArchive } from './support/world.js';

homecoming({
  system: 'moneyflow',
  moved: { harm: 'infrastructure-failure', scenario: 'infrastructureFailure', to: 'recovery' },
  prepare: writeAndArchive,
  people: { point: 'on-call-dba', promote: 'team-lead', switchover: 'team-lead' },
  withoutProof: sworn('the rack is empty, two of us stand before it', 'on-call-dba', 'team-lead'),
  table: 'books.invoices',
  leaves: 'nothing',
  withoutWritesMs: 120_000,
});
