/** Real runs of the small scenario, with the command line pointed at their server. */
import { randomUUID } from 'node:crypto';
import type { Mode } from '../../src/model/run.js';
import type { GatePolicy } from '../../src/runbook/schema.js';
import { connectTemporal, type TemporalSession } from '../../src/temporal/connection.js';
import { type RunHandle, startRun } from '../../src/temporal/runs.js';
import { findTemporal } from '../../src/temporal/target.js';
import { planHash } from '../../workflows/engine/hash.js';
import { type Outcome, runMuster } from '../cli/run-muster.js';
import { crossedScenario } from './crossed-scenario.js';
import { sharedTemporal } from './temporal.js';
import { toyScenario } from './toy-scenario.js';
import { openToyWorld, type ToyWorld, toyRunbook } from './toy-world.js';

export interface Policies {
  readonly point?: Partial<GatePolicy>;
}

export interface CliTestWorld {
  readonly toy: ToyWorld;
  readonly session: TemporalSession;
  readonly env: Readonly<Record<string, string>>;
  /**
   * Begins a run of a system of its own.
   * @param policies of its gates, where they are not the patient ones
   */
  start(mode?: Mode, policies?: Policies): Promise<RunHandle>;
  muster(...args: string[]): Promise<Outcome>;
  /** Repeats a command until its outcome is the one that is waited for. */
  musterUntil(satisfied: (outcome: Outcome) => boolean, ...args: string[]): Promise<Outcome>;
  close(): Promise<void>;
}

export async function openCliWorld(): Promise<CliTestWorld> {
  const { address } = await sharedTemporal();
  const env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml',
    MUSTER_LAB: '/nonexistent/muster-lab',
    MUSTER_PAYLOAD_ENCRYPTION: 'off',
  };
  const toy = await openToyWorld();
  const session = await connectTemporal(await findTemporal(env));
  const muster = (...args: string[]) => runMuster(args, { env });
  return {
    toy,
    session,
    env,
    muster,
    start: (mode = 'real', { point } = {}) => {
      const system = `toy-${randomUUID().slice(0, 8)}`;
      const runbook = { ...toyRunbook({}, point), system };
      // What reaches production cannot be drilled.
      const scenario = mode === 'real' ? toyScenario : crossedScenario;
      return startRun(session, {
        system,
        scenario: scenario.name,
        taskQueue: toy.worker.taskQueue,
        summary: `${system}: toy`,
        details: 'a run of the tests',
        rtoDeadline: new Date(Date.now() + 60_000).toISOString(),
        input: {
          runId: `${system}-run`,
          mode,
          requestedBy: 'ada',
          commander: 'ada',
          detectedAt: new Date().toISOString(),
          planHash: planHash(scenario.buildPlan(runbook).document),
          expectations: {},
          params: { point: 'noon' },
          runbook,
        },
      });
    },
    musterUntil: async (satisfied, ...args) => {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const outcome = await muster(...args);
        if (satisfied(outcome)) return outcome;
        if (Date.now() > deadline) throw new Error(`never: ${JSON.stringify(outcome)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    close: async () => {
      await session.close();
      await toy.worker.stop();
    },
  };
}
