/** The west is lost with everything in it: the east goes on from its own copies, and asks nothing of the west. */
import type { FilesReconciled } from '../../activities/contract.js';
import { breakRegion } from '../../lab/break/regional-loss.js';
import { portOf } from '../../lab/ports.js';
import { filesAreRight, filesIn, misconfigured, rowsAt, type Sums, Trap } from '../support/files.js';
import { payAndArchive } from '../support/payments.js';
import { cell } from './support/cell.js';
import { labNow, ledgerIsRight } from './support/ledger.js';

const trap = new Trap();
afterAll(() => trap.close());
let copies: Sums;

cell({
  scenario: 'regionalLoss',
  system: 'payymo',
  lab: { standby: 'raised' },
  strike: async (stage) => {
    const safe = new Set(await payAndArchive(stage.lab, stage.incident));
    const { at } = await breakRegion(await labNow(stage));
    await trap.open(portOf(stage.lab.state.regions.west.endpoint));
    copies = await filesIn(stage.lab.state, 'east');
    return { begin: ['--detected-at', at], safe };
  },
  withoutProof: 'the whole region is dark, and its operator says so',
  look: async (recovered) => {
    const { lab, result } = recovered;
    const told = result.outputs['reconcile-statements'] as FilesReconciled;
    const wrong = await ledgerIsRight({ from: 'west', to: 'east' })(recovered);
    const [rows, files, bucket] = await Promise.all([
      rowsAt(lab.state, 'east'),
      filesIn(lab.state, 'east'),
      misconfigured(lab.state, 'east'),
    ]);
    const lost = [...copies].filter(([key, sum]) => files.get(key) !== sum);
    return [
      ...wrong,
      ...bucket,
      ...lost.map(([key]) => `${key} is not as its copy was`),
      ...filesAreRight(rows, files, told),
    ];
  },
  also: {
    'reads nothing from the lost region': async ({ result }) => {
      expect(trap.connections).toBe(0);
      expect(result.outputs['propose-point']).toMatchObject({ usableRepositories: [2] });
    },
    'serves the files of the other region, and makes new ones there': async ({ lab }) => {
      const { appUrl } = lab.state.payymo;
      const [key = '', sum] = [...copies][0] ?? [];
      const answer = await fetch(`${appUrl}/${key}`);
      expect([answer.status, answer.headers.get('x-sha256')]).toEqual([200, sum]);
      const made = await fetch(`${appUrl}/statements`, {
        method: 'POST',
        body: JSON.stringify({ id: crypto.randomUUID(), account: 1 }),
      });
      const row = (await made.json()) as { key: string; sha256: string };
      expect(made.status).toBe(201);
      expect((await filesIn(lab.state, 'east')).get(row.key)).toBe(row.sha256);
    },
  },
});
