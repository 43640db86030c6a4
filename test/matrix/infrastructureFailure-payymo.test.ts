/** The primary's server is gone with its disk: all that was archived comes back on another one. */
import { breakServer } from '../../lab/break/server-loss.js';
import { payAndArchive } from '../support/payments.js';
import { cell } from './support/cell.js';
import { labNow, ledgerIsRight } from './support/ledger.js';

cell({
  scenario: 'infrastructureFailure',
  system: 'payymo',
  strike: async (stage) => {
    const safe = new Set(await payAndArchive(stage.lab, stage.incident));
    const { at } = await breakServer(await labNow(stage));
    return { begin: ['--detected-at', at], safe };
  },
  withoutProof: 'the rack is empty, two of us stand before it',
  diagnosed: 'infrastructureFailure',
  look: ledgerIsRight({ from: 'west', to: 'recovery' }),
});
