/** What a run does, for people who know nothing of its steps: told by the kinds of steps, so that any scenario has it. Pure. */
import type { RunView, StepView } from '../model/run.js';

/** Sentences, in the order in which things happen. */
export function doing(view: RunView): string[] {
  if (view.clock.actualMs !== undefined) {
    return view.endedAt === undefined
      ? ['The last checks are being made, and the restored service is being protected again.']
      : [];
  }
  if (view.status === 'undoing') {
    return [
      'The recovery was called off, and what it had changed is being put back. Another way is being looked for.',
    ];
  }
  if (view.endedAt !== undefined) return ['The recovery was called off. Another way is being looked for.'];
  return [...fence(view), ...work(view), ...people(view)];
}

function fence(view: RunView): string[] {
  const [step] = ofKind(view, 'fence');
  if (step?.status === 'done')
    return ['The affected system was taken out of service, so that nothing more is damaged.'];
  return isActive(step)
    ? ['The affected system is being taken out of service, so that nothing more is damaged.']
    : [];
}

function work(view: RunView): string[] {
  const promoted = ofKind(view, 'promotion').some(({ status }) => status === 'done');
  if (promoted) return ['The recovered system has taken over, and traffic is being led to it.'];
  if (ofKind(view, 'promotion').some(isActive)) return ['The recovered system is being put into service.'];
  const checks = ofKind(view, 'verification');
  const recovering = view.steps.some(
    (step) => step.kind === 'work' && step.effect === 'sandbox' && isActive(step),
  );
  if (recovering) return ['The data are being recovered to a separate system.'];
  if (checks.length > 0 && checks.every(({ status }) => status === 'done' || status === 'skipped')) {
    return ['The data are recovered and have passed every check.'];
  }
  if (checks.some(isActive)) return ['The recovered data are being checked before they are used.'];
  return ['The damage is being assessed, and the recovery is being prepared.'];
}

function people(view: RunView): string[] {
  if (view.hold !== undefined) return ['The recovery is paused on purpose while something is looked into.'];
  if (view.openDecisions.length === 0) return [];
  const failed = view.steps.some((step) => step.status === 'waiting' && step.failure !== undefined);
  return failed
    ? ['A part of the recovery did not work as planned; the engineers in charge are working on it.']
    : ['The people in charge are deciding on the next step.'];
}

function ofKind(view: RunView, kind: StepView['kind']): readonly StepView[] {
  return view.steps.filter((step) => step.kind === kind);
}

function isActive(step: StepView | undefined): boolean {
  return step?.status === 'running' || (step?.status === 'waiting' && step.kind !== 'gate');
}
