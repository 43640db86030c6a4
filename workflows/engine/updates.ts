/** People outside wait for news: who commands is reminded, from the beginning of the run until the service is back. */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { RunView } from '../../src/model/run.js';
import type { UpdatePlan } from '../../src/runbook/schema.js';
import { writeDuration } from '../../src/runbook/write-duration.js';
import { type Compose, clockFacts, command, commanders, draft, watch } from './notice-parts.js';

/**
 * Reminds at once, then again and again. It sends nothing: a person reads an update before it goes out.
 *
 * @returns a function that ends it
 */
export function remindOfUpdates({ every }: UpdatePlan, remind: () => void): () => void {
  const scope = new CancellationScope();
  const reminding = scope.run(async () => {
    for (;;) {
      remind();
      await sleep(every, { summary: `updates for people outside: every ${writeDuration(every)}` });
    }
  });
  reminding.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
  return () => scope.cancel();
}

export function updateInWords(view: Pick<RunView, 'system' | 'mode'>, updates: UpdatePlan): string {
  return `people outside wait for an update: ${updateCommand(view, updates)}`;
}

/** @param state `down`: not back yet; `back`: validated, and nobody outside knows it yet */
export function updateDue(updates: UpdatePlan, state: 'down' | 'back'): Compose {
  return (of) => ({
    ...draft(of.view, 'update-due', 'update', 'warning'),
    title:
      state === 'back' ? 'The service is back: tell people outside.' : 'People outside wait for an update.',
    text: 'Nothing is sent by itself. Read it, then send it.',
    facts: clockFacts(of.view),
    actions: [
      { label: updateCommand(of.view, updates), value: 'shows it, ready to paste; with --send it goes out' },
      watch(of.view),
    ],
    to: commanders(of),
  });
}

function updateCommand(view: Pick<RunView, 'system' | 'mode'>, { every, channel }: UpdatePlan): string {
  const send = channel === undefined ? '' : ` --send ${channel}`;
  return command(view, 'update', `--next "${writeDuration(every)}"${send}`);
}
