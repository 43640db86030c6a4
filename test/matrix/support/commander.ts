/** A commander who decides whatever a run asks, until it is over. */
import type { OpenDecision, RunResult, RunView } from '../../../src/model/run.js';
import type { Incident } from '../../support/incident.js';

export interface Command {
  /** Gives the approvals that a gate demands; left out: the one of the incident's approver. */
  readonly approve?: (incident: Incident, gate: string) => Promise<void>;
  /** Why, or how, people go on where nothing can be proven of the old primary; left out: its fence must be proven. */
  readonly withoutProof?: string | ((incident: Incident) => Promise<void>);
  readonly longestMs?: number;
}

/** A recovery takes seconds; beside others, on two cores, a minute or two. */
const LONGEST_MS = 480_000;
const LOOK_EVERY_MS = 150;

/**
 * @returns what the run ended with
 * @throws Error when a step fails that nobody expects to, or the run does not end in time
 */
export async function commandUntilOver(incident: Incident, command: Command = {}): Promise<RunResult> {
  const deadline = Date.now() + (command.longestMs ?? LONGEST_MS);
  const decided = new Set<string>();
  let seen: RunView | undefined;
  while (seen?.endedAt === undefined) {
    if (Date.now() > deadline) throw new Error(`the run never ended: ${progressOf(seen)}`);
    seen = (await incident.view().catch(() => undefined)) ?? seen;
    for (const open of seen?.openDecisions ?? []) {
      const key = `${open.step} ${open.since}`;
      if (decided.has(key)) continue;
      decided.add(key);
      await decide(incident, open, command);
    }
    await new Promise((later) => setTimeout(later, LOOK_EVERY_MS));
  }
  return incident.result();
}

async function decide(incident: Incident, open: OpenDecision, command: Command): Promise<void> {
  const { gate, step, question, facts } = open;
  const { approve = (by, name) => by.approve(name), withoutProof } = command;
  if (gate !== undefined) return approve(incident, gate);
  if (step === 'fence-primary' && withoutProof !== undefined) {
    return typeof withoutProof === 'string'
      ? incident.goOnWithoutProof(withoutProof)
      : withoutProof(incident);
  }
  const told = facts.map(({ label, value }) => `${label}: ${value}`).join('; ');
  throw new Error(`${step} has failed: ${question} ${told}`);
}

function progressOf(seen: RunView | undefined): string {
  return seen?.steps.map(({ name, status }) => `${name} ${status}`).join(', ') ?? 'it never answered';
}
