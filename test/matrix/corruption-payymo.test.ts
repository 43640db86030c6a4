/** A bad deployment alters and deletes rows all over the ledger: back to the moment before it. */

import { waitForPayments } from '../../lab/demo/payments.js';
import { cell } from './support/cell.js';
import { ledgerIsRight, paid } from './support/ledger.js';

cell({
  scenario: 'corruption',
  system: 'payymo',
  strike: async (stage) => {
    await waitForPayments(stage.lab.state, 5);
    const safe = await paid(stage);
    const { startedAt } = await stage.incident.happen(5);
    return { begin: ['--before', startedAt], safe };
  },
  diagnosed: 'corruption',
  look: ledgerIsRight({ from: 'west', to: 'recovery' }),
});
