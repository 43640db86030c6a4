/** A run that goes on from its journal: what the lost server knew of it is put back before anything begins. */
import type { Adoption } from '../../src/model/adoption.js';
import { restoreComponents } from './components.js';
import { resumeGate } from './gates.js';
import { adopted } from './notices-of-run.js';
import type { Run } from './run.js';

/** Called once, before the run begins. A step that the plan does not have cannot be in its journal: the plan's hash is the same. */
export function restoreRun<Params>(run: Run<Params>, adoption: Adoption): void {
  for (const step of run.steps) {
    const known = adoption.steps[step.name];
    if (known !== undefined) step.restore(known, Date.now());
  }
  for (const name of adoption.beginning) {
    const step = run.step(name);
    if (step !== undefined) run.beginning.push(step);
  }
  run.abortedBy = adoption.aborted;
  const { command } = run;
  command.commander = adoption.commander;
  command.hold = adoption.hold;
  command.overrides.push(...adoption.overrides);
  for (const proof of adoption.usedProofs) command.usedProofs.add(proof);
  run.chronicle.warnings.push(...adoption.warnings);
  restoreComponents(run, adoption);
  const { workingMs, waitingMs, actualMs, clockAt } = adoption;
  run.clock.restore(Date.parse(clockAt), { workingMs, waitingMs, actualMs });
}

/** Writes down who took the run over, and asks again where people are awaited: their words stand. */
export function goOn<Params>(run: Run<Params>, adoption: Adoption): void {
  const { by, number, entries, head } = adoption;
  const { runId } = run.input;
  run.record('adopted', `${runId} goes on from its journal on another server, taken over by ${by}`, {
    by,
    facts: [
      { label: 'entries', value: String(entries) },
      { label: 'head', value: head },
    ],
    data: { by, number },
  });
  run.notices.tell(adopted());
  if (run.abortedBy !== undefined) return;
  for (const step of run.steps) {
    if (step.isGate && step.status === 'waiting') resumeGate(run, step);
  }
  run.turned();
}
