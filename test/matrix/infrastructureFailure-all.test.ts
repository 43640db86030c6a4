/** The servers of three systems are gone in one night: they are recovered together, each by its own people's decisions. */
import { breakServer } from '../../lab/break/server-loss.js';
import { labHarm } from '../../lab/commands.js';
import type { Diagnosis } from '../../src/cli/diagnosing.js';
import type { RecoverAllView } from '../../src/model/recover-all.js';
import { type Incident, printed, useIncident } from '../support/incident.js';
import { useLab } from '../support/lab.js';
import { payAndArchive } from '../support/payments.js';
import type { Recovered, Stage } from './support/cell.js';
import { type Command, commandUntilOver } from './support/commander.js';
import { labNow, ledgerIsRight } from './support/ledger.js';
import { measured } from './support/measured.js';
import { approvedBy, sworn, worldIsRight, writeAndArchive } from './support/world.js';

const SCENARIO = 'infrastructureFailure';
const lab = useLab({ worker: 'when-built', systems: ['payymo', 'moneyflow', 'accubooks'] });
const WHY = 'the room has burned down';

interface Struck {
  readonly incident: Incident;
  /** Loses the server. @returns records that are safe elsewhere */
  readonly strike: (stage: Stage) => Promise<ReadonlySet<string>>;
  readonly command: Command;
  readonly look: (recovered: Recovered) => Promise<readonly string[]>;
}

const harmed = (system: 'moneyflow' | 'accubooks') => async (stage: Stage) => {
  const safe = await writeAndArchive(stage);
  await labHarm('infrastructure-failure', system, { dir: lab.dir });
  return safe;
};

const SYSTEMS: Readonly<Record<string, Struck>> = {
  payymo: {
    incident: useIncident(lab),
    strike: async (stage) => {
      const safe = new Set(await payAndArchive(stage.lab, stage.incident));
      await breakServer(await labNow(stage));
      return safe;
    },
    command: { withoutProof: WHY },
    look: ledgerIsRight({ from: 'west', to: 'recovery' }),
  },
  moneyflow: {
    incident: useIncident(lab, 'moneyflow'),
    strike: harmed('moneyflow'),
    command: {
      withoutProof: sworn(WHY, 'on-call-dba', 'team-lead'),
      approve: approvedBy({ point: 'on-call-dba', promote: 'team-lead' }),
    },
    look: worldIsRight({ from: 'west', to: 'recovery', table: 'books.invoices' }),
  },
  accubooks: {
    incident: useIncident(lab, 'accubooks'),
    strike: harmed('accubooks'),
    command: {
      withoutProof: sworn(WHY, 'operations', 'data-owner'),
      approve: approvedBy({ point: 'operations', promote: 'data-owner' }),
    },
    look: worldIsRight({ from: 'west', to: 'recovery', table: 'chrona.time_entries' }),
  },
};

const recovered = new Map<string, Recovered>();
const { incident } = SYSTEMS.payymo as Struck;

it('recovers all of them, two at a time', async () => {
  const at = new Date().toISOString();
  const safe = new Map<string, ReadonlySet<string>>();
  for (const [name, { strike, incident }] of Object.entries(SYSTEMS))
    safe.set(name, await strike({ lab, incident }));
  const { proposals } = printed<Diagnosis>(await incident.muster('diagnose', 'moneyflow', '--json'));
  expect(proposals[0]).toMatchObject({ scenario: SCENARIO, standing: 'ready' });

  const how = [
    '--all',
    '--at-once',
    '2',
    '--detected-at',
    at,
    '--by',
    'on-call',
    '--yes',
    '--no-watch',
    '--json',
  ];
  const begun = await incident.muster('recover', SCENARIO, ...how);
  expect(begun).toMatchObject({ code: 0 });
  const { systems, leftOut } = printed<{ systems: readonly { system: string }[]; leftOut: unknown }>(begun);
  expect({ systems: systems.map(({ system }) => system), leftOut }).toEqual({
    systems: ['payymo', 'moneyflow', 'accubooks'],
    leftOut: [],
  });
  await Promise.all(
    Object.entries(SYSTEMS).map(async ([name, { incident, command }]) => {
      const result = await commandUntilOver(incident, command);
      measured(`${SCENARIO} all`, result);
      expect([name, result.view.status]).toEqual([name, 'recovered']);
      recovered.set(name, { lab, incident, result, begin: [], safe: safe.get(name) ?? new Set() });
    }),
  );
}, 900_000);

it.each(Object.keys(SYSTEMS))(
  '%s is as it must be, seen past Muster',
  async (name) => {
    const one = recovered.get(name);
    if (one === undefined) throw new Error('its recovery did not get that far');
    expect(await SYSTEMS[name]?.look(one)).toEqual([]);
  },
  120_000,
);

it('says of all of them that they are recovered, on one screen', async () => {
  const { code, stdout } = await incident.muster('status', '--all', '--json');
  const { systems, endedAt } = JSON.parse(stdout) as RecoverAllView;
  expect({ code, ended: endedAt !== undefined }).toEqual({ code: 0, ended: true });
  expect(systems.map(({ state, backAfterMs }) => [state, (backAfterMs ?? 0) > 0])).toEqual([
    ['recovered', true],
    ['recovered', true],
    ['recovered', true],
  ]);
}, 60_000);
