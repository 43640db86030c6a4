/** From what is seen of a system to what its commander may begin. */
import { criticalPath } from '../../workflows/engine/critical-path.js';
import { judge, type Suspicion } from '../diagnosis/judge.js';
import type { Finding } from '../diagnosis/symptoms.js';
import type { LoadedRunbook } from '../runbook/load.js';
import type { CliContext } from './context.js';
import { readExpectations } from './expectations.js';
import { whereItIs } from './leaving.js';
import { planScenario, scenariosOf } from './planning.js';

export interface ProposedPlan {
  readonly hash: string;
  readonly component: string;
  readonly rtoMs: number;
  /** Budgets until the service is back; people's time is not in it. */
  readonly budgetMs: number;
  /** The same as past runs took it; absent where none tells. */
  readonly pastMs?: number;
  readonly gates: readonly string[];
}

export interface Proposal extends Suspicion {
  /** `not-in-runbook`: this system's runbook has no section for it; `not-built`: this version cannot do it. */
  readonly standing: 'ready' | 'not-in-runbook' | 'not-built';
  readonly plan?: ProposedPlan;
  /** What begins it; TIME stands for what somebody has to say. */
  readonly command?: string;
}

export interface Diagnosis {
  readonly system: string;
  /** When it was looked, ISO 8601 UTC. */
  readonly at: string;
  readonly findings: readonly Finding[];
  readonly proposals: readonly Proposal[];
  readonly cannotTell: readonly string[];
  /** Whether anything is wrong, or could not be looked at. */
  readonly sound: boolean;
}

/** Looks at the system, changes nothing, and proposes. */
export async function diagnose(context: CliContext, loaded: LoadedRunbook): Promise<Diagnosis> {
  const { lookAround } = await import('../../activities/diagnosis/index.js');
  const at = new Date();
  const { symptoms, findings } = await lookAround(loaded.runbook);
  const { suspicions, cannotTell } = judge(symptoms, at.getTime());
  return {
    system: loaded.runbook.system,
    at: at.toISOString(),
    findings,
    proposals: await Promise.all(suspicions.map((one) => propose(context, loaded, one, at))),
    cannotTell,
    sound: findings.every(({ verdict }) => verdict === 'fine'),
  };
}

async function propose(
  context: CliContext,
  loaded: LoadedRunbook,
  suspicion: Suspicion,
  at: Date,
): Promise<Proposal> {
  const { scenario } = suspicion;
  const { scenarios } = await import('../../workflows/scenarios.js');
  if (!Object.hasOwn(scenarios, scenario)) return { ...suspicion, standing: 'not-built' };
  if (!(await scenariosOf(loaded)).includes(scenario)) return { ...suspicion, standing: 'not-in-runbook' };
  const { document, hash, verdict } = await planScenario(await whereItIs(loaded, scenario), scenario);
  const { expectations } = await readExpectations(context.world.env, document.system, scenario);
  const known = verdict.path.steps.some((name) => expectations[name] !== undefined);
  const budgets = new Map(
    document.steps.map(({ name, budgetMs, kind }) => [name, kind === 'gate' ? 0 : budgetMs]),
  );
  const usual = (name: string) => expectations[name]?.medianMs ?? budgets.get(name) ?? 0;
  return {
    ...suspicion,
    standing: 'ready',
    plan: {
      hash,
      component: document.component,
      rtoMs: document.rtoMs,
      budgetMs: verdict.path.totalMs,
      ...(known ? { pastMs: criticalPath(document.steps, usual, document.serviceRestoredBy).totalMs } : {}),
      gates: document.steps.flatMap(({ gate }) => (gate === undefined ? [] : [gate.gate])),
    },
    command: commandFor(suspicion, document.system, at),
  };
}

function commandFor({ scenario, needs }: Suspicion, system: string, at: Date): string {
  const told = needs === 'before' ? '--before TIME ' : '';
  return `muster recover ${scenario} ${system} ${told}--detected-at ${at.toISOString().slice(0, 19)}Z`;
}
