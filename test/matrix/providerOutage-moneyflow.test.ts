/** MoneyFlow's provider is out, with server, local dumps and those in its store: the newest dump at the other one is loaded there. */
import type { RecoveryPoint } from '../../activities/contract.js';
import { labHarm } from '../../lab/commands.js';
import { portOf } from '../../lab/ports.js';
import type { Diagnosis } from '../../src/cli/diagnosing.js';
import { Trap } from '../support/files.js';
import { cell } from './support/cell.js';
import { approvedBy, sworn, worldIsRight, writeAndArchive } from './support/world.js';

const trap = new Trap();
afterAll(() => trap.close());

cell({
  scenario: 'providerOutage',
  system: 'moneyflow',
  lab: { systems: ['moneyflow'] },
  strike: async (stage) => {
    const safe = await writeAndArchive(stage);
    const { at } = await labHarm('provider-outage', 'moneyflow', { dir: stage.lab.dir });
    // Whoever diagnoses asks the provider too; the recovery must not.
    const { stdout } = await stage.incident.muster('diagnose', 'moneyflow', '--json');
    const [first] = (JSON.parse(stdout) as Pick<Diagnosis, 'proposals'>).proposals;
    expect(first).toMatchObject({ scenario: 'providerOutage', certainty: 'likely', standing: 'ready' });
    await trap.open(portOf(stage.lab.state.regions.west.endpoint));
    return { begin: ['--detected-at', at], safe };
  },
  withoutProof: sworn('the data centre is dark, and its operator says so', 'on-call-dba', 'team-lead'),
  approve: approvedBy({ point: 'on-call-dba', promote: 'team-lead' }),
  look: worldIsRight({ from: 'west', to: 'east', table: 'books.invoices' }),
  also: {
    'takes nothing from the provider that is out': async ({ result }) => {
      expect(trap.connections).toBe(0);
      const { archive } = result.outputs['propose-point'] as RecoveryPoint;
      expect(archive?.passedOver).toEqual([]);
    },
  },
});
