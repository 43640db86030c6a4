/** What befalls a recovery, and when: every case of the harness, made from the plan itself. */
import type { PlanDocument } from '../../src/model/plan.js';

export const FAULTS = {
  kill: 'the worker is killed, another one is started',
  freeze: 'the worker stands still until another one has begun its work, then goes on',
  temporal: 'the Temporal server is killed and started again',
  store: 'the store stops, and comes back when the run is over',
  s3: 'both S3 servers are away until an attempt has failed',
  lose: 'the worker is told that its answer has arrived, and it has not',
} as const;
export type Fault = keyof typeof FAULTS;

export type Moment =
  /** The step has just been handed to the worker. */
  | { readonly at: 'begin'; readonly step: string }
  /** It works: see `signs`. */
  | { readonly at: 'middle'; readonly step: string; readonly sign: Sign }
  /** All of it is done, and Temporal does not know yet. */
  | { readonly at: 'effect'; readonly step: string }
  /** People are asked, nobody has answered. */
  | { readonly at: 'gate'; readonly gate: string }
  /** The approval was acknowledged a moment ago. */
  | { readonly at: 'approved'; readonly gate: string };

/** By what one sees that a step is in the middle of its work. */
export type Sign =
  /** The worker reports it as alive for the second time. */
  | { readonly heartbeats: number }
  /** The worker runs that program. */
  | { readonly program: string }
  /** That is so in the world. */
  | { readonly world: 'replay-runs' | 'token-taken' | 'promotion-under-way' | 'record-changed' };

/** The middle of every step that is long, or that must happen once. */
const MIDDLES: Readonly<Record<string, Readonly<Record<string, Sign>>>> = {
  assess: { 'looking at the damage': { heartbeats: 1 } },
  'propose-point': { 'reading the backups': { program: 'pgbackrest' } },
  restore: { 'copying files': { heartbeats: 2 }, 'replaying WAL': { world: 'replay-runs' } },
  'verify-repository': { 'reading the repository': { heartbeats: 2 } },
  'verify-files': { 'reading all pages': { program: 'pg_checksums' } },
  'verify-structure': { 'comparing tables and indexes': { program: 'pg_amcheck' } },
  'verify-dump': { 'reading all rows': { program: 'pg_dump' } },
  'verify-invariants': { 'asking the rules': { heartbeats: 1 } },
  'verify-application': { 'the application is up': { program: 'node' } },
  'fence-primary': { 'token taken': { world: 'token-taken' } },
  'preserve-damaged': { 'stopping the cluster': { program: 'pg_ctl' } },
  promote: { 'the copy ends recovery': { world: 'promotion-under-way' } },
  cutover: { 'the record has changed': { world: 'record-changed' } },
  'measure-loss': { 'comparing records': { heartbeats: 1 } },
  'protect-again': { 'taking the backup': { program: 'pgbackrest' } },
  'verify-other-copies': { 'reading the other repository': { program: 'pgbackrest' } },
};

/** What must not happen twice. */
const EFFECTS = ['fence-primary', 'promote', 'cutover'];
/** Steps that ask nobody outside the workflow: nothing can fall between their beginning and their end. */
const WITHOUT_WORK = ['choose-target'];

/** Where Temporal runs: the development server of the lab, or a server of one's own with PostgreSQL and two workers. */
export type Orchestrator = 'development' | 'self-hosted';

export interface FaultCase {
  readonly fault: Fault;
  readonly moment: Moment;
  readonly orchestrator: Orchestrator;
  readonly name: string;
}

/** Every moment of the plan, in its order. */
export function momentsOf(plan: PlanDocument): readonly Moment[] {
  return plan.steps.flatMap((step): Moment[] => {
    if (WITHOUT_WORK.includes(step.name)) return [];
    if (step.gate !== undefined) {
      const gate = step.gate.gate;
      return [
        { at: 'gate', gate },
        { at: 'approved', gate },
      ];
    }
    const middles = Object.values(MIDDLES[step.name] ?? {});
    return [
      { at: 'begin', step: step.name },
      ...middles.map((sign): Moment => ({ at: 'middle', step: step.name, sign })),
      ...(EFFECTS.includes(step.name) ? [{ at: 'effect', step: step.name } as const] : []),
    ];
  });
}

/** Every case: each fault at each moment; answers are lost where an effect must not come twice. */
export function allCases(plan: PlanDocument): readonly FaultCase[] {
  const everywhere: readonly Fault[] = ['kill', 'freeze', 'temporal', 'store', 's3'];
  return momentsOf(plan).flatMap((moment) => {
    const faults: readonly Fault[] = moment.at === 'effect' ? [...everywhere, 'lose'] : everywhere;
    return faults.map((fault) => caseOf(fault, moment));
  });
}

/** On a self-hosted server with two workers: at every step boundary the server or a worker is killed, in turn. */
export function selfHostedCases(plan: PlanDocument): readonly FaultCase[] {
  return momentsOf(plan)
    .filter(({ at }) => at === 'begin' || at === 'approved' || at === 'effect')
    .map((moment, index) => caseOf(index % 2 === 0 ? 'temporal' : 'kill', moment, 'self-hosted'));
}

export function caseOf(fault: Fault, moment: Moment, orchestrator: Orchestrator = 'development'): FaultCase {
  const where = orchestrator === 'development' ? '' : ' (self-hosted)';
  return { fault, moment, orchestrator, name: `${fault}${where}: ${inWords(moment)}` };
}

export function inWords(moment: Moment): string {
  if (moment.at === 'gate') return `gate ${moment.gate} is open`;
  if (moment.at === 'approved') return `gate ${moment.gate} was approved`;
  if (moment.at === 'begin') return `${moment.step} begins`;
  if (moment.at === 'effect') return `${moment.step} has had its effect, unanswered`;
  const found = Object.entries(MIDDLES[moment.step] ?? {}).find(([, sign]) => sign === moment.sign);
  return `middle of ${moment.step}: ${found?.[0] ?? JSON.stringify(moment.sign)}`;
}
