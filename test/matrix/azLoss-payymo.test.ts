/** The zone of the primary is lost while its standby lags: the standby takes over with all that was archived. */
import { breakZone } from '../../lab/break/az-loss.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { cutStandbyOff, payAndArchive } from '../support/payments.js';
import { cell } from './support/cell.js';
import { labNow, ledgerIsRight } from './support/ledger.js';

cell({
  scenario: 'azLoss',
  system: 'payymo',
  lab: { standby: 'raised' },
  strike: async (stage) => {
    await waitForPayments(stage.lab.state, 5);
    await cutStandbyOff(stage.lab);
    const safe = new Set(await payAndArchive(stage.lab, stage.incident));
    const { at } = await breakZone(await labNow(stage));
    return { begin: ['--detected-at', at], safe };
  },
  diagnosed: 'azLoss',
  look: ledgerIsRight({ from: 'west', to: 'standby' }),
});
