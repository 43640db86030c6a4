/** Begins the recovery by the command line, as a commander does, and sees it through to its end. */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LossReport, ReportFiles } from '../../activities/contract.js';
import { formatClock } from '../../src/model/format.js';
import type { OpenDecision, RunResult, RunView } from '../../src/model/run.js';
import { connectTemporal, type TemporalSession } from '../../src/temporal/connection.js';
import { decide } from '../../src/temporal/decide.js';
import { lookAt } from '../../src/temporal/observe.js';
import { findRun, type RunHandle } from '../../src/temporal/runs.js';
import { findTemporal, uiLink } from '../../src/temporal/target.js';
import { LabError } from '../errors.js';
import { type LabPeople, provenInLab } from '../people.js';
import { commandAtTerminal } from './at-terminal.js';
import type { DemoOutcome } from './summary.js';

const SYSTEM = 'payymo';
const COMMANDER = 'on-call';
const APPROVER = 'database-lead';
const LOOK_EVERY_MS = 300;

export interface RecoveryToCommand {
  /** What the commands need to find the lab. */
  readonly env: Readonly<Record<string, string>>;
  readonly before: string;
  readonly detectedAt: string;
  /** Who proves who they are. */
  readonly people: LabPeople;
  /** A person sits at a terminal and decides. */
  readonly interactive: boolean;
  readonly say: (line: string) => void;
}

/** @throws LabError when the recovery does not begin */
export async function commandRecovery(how: RecoveryToCommand): Promise<DemoOutcome> {
  const args = ['recover', 'corruption', SYSTEM, '--before', how.before, '--detected-at', how.detectedAt];
  how.say(`   $ muster ${args.join(' ')}`);
  const exitCode = await muster([...args, '--by', COMMANDER, '--yes', '--no-watch'], how);
  if (exitCode === 2) throw new LabError('The recovery was not begun.', 'Read what the command above says.');

  const target = await findTemporal({ ...process.env, ...how.env });
  const session = await connectTemporal(target);
  try {
    const run = await findRun(session, SYSTEM);
    if (run === undefined)
      throw new LabError('The recovery was not begun.', 'Read what the command above says.');
    if (how.interactive) await commandAtTerminal(session, run, how.people);
    else await seeThrough(session, run, how);
    const { view, outputs } = (await session.client.workflow
      .getHandle(run.workflowId, run.temporalRunId)
      .result()) as RunResult;
    const report = outputs.report as ReportFiles | undefined;
    return {
      view,
      loss: (outputs['measure-loss'] as LossReport | undefined)?.classes ?? {},
      report,
      temporalUi: uiLink(target, run.workflowId, run.temporalRunId) ?? '',
    };
  } finally {
    await session.close();
  }
}

function muster(args: readonly string[], { env, interactive }: RecoveryToCommand): Promise<number> {
  const program = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  // Standard output belongs to the demo's own result where a script reads it.
  const stdio = interactive ? 'inherit' : (['ignore', 2, 2] as const);
  const child = spawn(process.execPath, [program, ...args], {
    stdio: stdio as 'inherit',
    env: { ...process.env, ...env },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Tells each step as it ends and takes the approvers' decisions, until the run is over. */
async function seeThrough(session: TemporalSession, run: RunHandle, how: RecoveryToCommand): Promise<void> {
  const told = new Set<string>();
  for (;;) {
    const { view, brokenOff } = await lookAt(session, run);
    if (brokenOff !== undefined)
      throw new LabError(`The run broke off: ${brokenOff}.`, 'Look at it in the Temporal UI.');
    if (view !== undefined) {
      tellSteps(view, told, how.say);
      if (view.endedAt !== undefined) return;
      for (const open of view.openDecisions) await decideItself(session, run, view, open, how);
    }
    await delay(LOOK_EVERY_MS);
  }
}

function tellSteps(view: RunView, told: Set<string>, say: (line: string) => void): void {
  for (const step of view.steps) {
    const key = `${step.name} ${step.begun} ${step.status}`;
    if (!['done', 'undone'].includes(step.status) || told.has(key)) continue;
    told.add(key);
    say(
      `   ${step.status.padEnd(6)} ${step.name.padEnd(19)} ${formatClock(step.workingMs + step.waitingMs).padStart(5)}  ${step.summary ?? ''}`,
    );
  }
}

async function decideItself(
  session: TemporalSession,
  run: RunHandle,
  view: RunView,
  open: OpenDecision,
  { people, say }: RecoveryToCommand,
): Promise<void> {
  if (open.gate === undefined) {
    say(`   FAILED ${open.step}: ${open.question}`);
    throw new LabError(`The step ${open.step} failed.`, open.question);
  }
  say(`   gate   ${open.gate}: ${open.question}`);
  for (const { label, value } of open.facts) say(`            ${label}: ${value}`);
  say(`          no person is here: the demo itself approves ${open.gate} as ${APPROVER}`);
  const decision = {
    on: open.gate,
    choice: 'approve' as const,
    by: APPROVER,
    reason: 'decided by the demo, not by a person',
  };
  const proven = await provenInLab(people, view, decision);
  const code = proven.proof?.totp === undefined ? '' : ', with a code of the authenticator';
  if (proven.proof !== undefined) say(`          signed with the key of ${APPROVER}${code}`);
  await decide(session, run, proven, open);
}
