/** A system beside Payymo is moved by a recovery; its home is in order again, and it goes there while its client goes on. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FenceProof, LossReport, Promotion, ServiceValidation } from '../../../activities/contract.js';
import { runningServer } from '../../../lab/clusters.js';
import { labHarm } from '../../../lab/commands.js';
import type { UpOptions } from '../../../lab/world.js';
import type { WorldName } from '../../../lab/worlds/index.js';
import type { RunResult } from '../../../src/model/run.js';
import { COMMANDER, type Incident, useIncident } from '../../support/incident.js';
import { namesLead } from '../../support/judge.js';
import { useLab } from '../../support/lab.js';
import type { Stage } from './cell.js';
import { commandUntilOver } from './commander.js';
import { measured } from './measured.js';
import {
  acknowledgedBy,
  approvedBy,
  brokenInvariants,
  column,
  moreAcknowledged,
  namesOf,
  on,
  siteOf,
  worldNow,
} from './world.js';

export interface Homecoming {
  readonly system: WorldName;
  readonly lab?: Partial<UpOptions>;
  /** What has moved it: the disaster in the lab, the scenario, and where it runs since. */
  readonly moved: { readonly harm: string; readonly scenario: string; readonly to: string };
  /** What is done so that something is safe before the disaster. */
  readonly prepare: (stage: Stage) => Promise<ReadonlySet<string>>;
  /** Who opens each gate of either run. */
  readonly people: Readonly<Record<string, string>>;
  readonly withoutProof?: (incident: Incident) => Promise<void>;
  /** Makes home fit to live in again, once the system has been moved. */
  readonly mend?: (stage: Stage) => Promise<void>;
  readonly table: string;
  /** What is left at the old place: a standby that follows, or nothing that could be started. */
  readonly leaves: 'standby' | 'nothing';
  /** How long nothing may be written, milliseconds, on a machine that does nothing else. */
  readonly withoutWritesMs: number;
}

/** Declares the tests of the cell `failback <system>`. */
export function homecoming(options: Homecoming): void {
  const { system, moved, people, withoutProof, table } = options;
  const lab = useLab({ worker: 'when-built', systems: [system], ...options.lab });
  const incident = useIncident(lab, system);
  const stage: Stage = { lab, incident };
  const approve = approvedBy(people);
  let result: RunResult;
  /** Lost with the old primary, before the way home began. */
  let lostBefore: ReadonlySet<string>;

  const recordsAt = async (site: string): Promise<ReadonlySet<string>> => {
    const world = await worldNow(stage);
    return new Set(await column(world, siteOf(world, site), `select id::text from ${table}`));
  };

  const begin = async (scenario: string, ...more: readonly string[]): Promise<void> => {
    const how = [...more, '--by', COMMANDER, '--yes', '--no-watch', '--json'];
    const begun = await incident.muster('recover', scenario, system, ...how);
    if (begun.code !== 0) throw new Error(`exit code ${begun.code}: ${begun.stderr}`);
  };

  it('is moved by a recovery', async () => {
    await options.prepare(stage);
    const { at } = await labHarm(moved.harm, system, { dir: lab.dir });
    await begin(moved.scenario, '--detected-at', at);
    const done = await commandUntilOver(incident, {
      approve,
      ...(withoutProof === undefined ? {} : { withoutProof }),
    });
    expect(done.view.status).toBe('recovered');
    await moreAcknowledged(await worldNow(stage), 4);
    const acknowledged = await acknowledgedBy(await worldNow(stage));
    const there = await recordsAt(moved.to);
    lostBefore = new Set(acknowledged.map(({ id }) => id).filter((id) => !there.has(id)));
  }, 300_000);

  it('goes home by the decision of people, with every record', async () => {
    await options.mend?.(stage);
    await forgetSooner(join(lab.state.runbooks, `${system}.yaml`));
    await begin('failback');
    result = await commandUntilOver(incident, { approve });
    measured(`failback ${system}`, result);
    expect(result.view.status).toBe('recovered');
    const world = await worldNow(stage);
    await moreAcknowledged(world, 6);
    const acknowledged = await acknowledgedBy(world);
    const home = await recordsAt('west');
    expect(acknowledged.filter(({ id }) => !home.has(id) && !lostBefore.has(id))).toEqual([]);
    // What the disaster took a minute ago is missing still, and is not the way home's loss.
    const classes = Object.values((result.outputs['measure-loss'] as LossReport).classes);
    expect(classes.flatMap(({ sample }) => sample)).toEqual([]);
  }, 300_000);

  it('is promoted once, leads everybody home and keeps the rules', async () => {
    const world = await worldNow(stage);
    const home = siteOf(world, 'west');
    const kinds = (await incident.claims()).map(({ kind }) => kind);
    expect(kinds).toEqual(['fence', 'promotion', 'fence', 'promotion']);
    expect(await column(world, home, 'select pg_is_in_recovery()::text')).toEqual(['false']);
    expect(namesLead({ names: await namesOf(stage, world, home) })).toEqual([]);
    expect(await brokenInvariants(stage, world, home)).toEqual([]);
    const { 'fence-primary': fence, promote, validate } = result.outputs as unknown as Outputs;
    const awayMs =
      Date.parse(validate.firstGoodAt) - Date.parse(fence.refusedWrite?.at ?? promote.promotedAt);
    expect(awayMs).toBeLessThan(options.withoutWritesMs);
    expect((await incident.muster('journal', 'verify', result.view.runId)).code).toBe(0);
  }, 120_000);

  it('leaves nothing behind that takes writes', async () => {
    const world = await worldNow(stage);
    const left = siteOf(world, moved.to);
    if (options.leaves === 'nothing') {
      expect(await runningServer(left.dataDir)).toBeUndefined();
      return;
    }
    expect(await column(world, left, 'select pg_is_in_recovery()::text')).toEqual(['true']);
    const write = on(world, left, world.app, (client) => client.query('create temporary table x (x int)'));
    await expect(write).rejects.toThrow(/read-only/);
  }, 60_000);
}

interface Outputs {
  readonly 'fence-primary': FenceProof;
  readonly promote: Promotion;
  readonly validate: ServiceValidation;
}

/** Resolvers of the lab forget within seconds what those of production hold for a minute. */
async function forgetSooner(file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const sooner = text.replace(/^( +ttl:) 60$/m, '$1 8');
  expect(sooner).not.toBe(text);
  await writeFile(file, sooner);
}
