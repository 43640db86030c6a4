/** The demo at a terminal: the commander's screen, and at each gate the question to the person who sits there. */
import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';
import pico from 'picocolors';
import { renderWatch } from '../../src/cli/render/watch.js';
import { messageOf } from '../../src/errors.js';
import type { Decision } from '../../src/model/decision.js';
import type { OpenDecision, RunView } from '../../src/model/run.js';
import type { TemporalSession } from '../../src/temporal/connection.js';
import { decide } from '../../src/temporal/decide.js';
import { type Look, lookAt } from '../../src/temporal/observe.js';
import { progressOf } from '../../src/temporal/progress.js';
import type { RunHandle } from '../../src/temporal/runs.js';
import { forecast } from '../../workflows/engine/forecast.js';
import { LabError } from '../errors.js';
import { type LabPeople, provenInLab } from '../people.js';

const LOOK_EVERY_MS = 500;

/**
 * Shows the run until it is over and asks the person at the terminal whatever it waits for.
 *
 * @param approver who the decisions are taken as
 * @param people with what they are proven
 */
export async function commandAtTerminal(
  session: TemporalSession,
  run: RunHandle,
  approver: string,
  people: LabPeople,
): Promise<void> {
  const screen = createLogUpdate(process.stdout);
  for (;;) {
    const look = await lookAt(session, run);
    if (look.brokenOff !== undefined) {
      throw new LabError(`The run broke off: ${look.brokenOff}.`, 'Look at it in the Temporal UI.');
    }
    const { view } = look;
    if (view !== undefined) {
      screen(draw(view, look));
      if (view.endedAt !== undefined) return screen.done();
      const [open] = view.openDecisions;
      if (open !== undefined) {
        screen.done();
        await ask(session, run, { view, open, approver, people });
      }
    }
    await delay(LOOK_EVERY_MS);
  }
}

function draw(view: RunView, { activity = {} }: Look): string {
  const now = Date.now();
  const { columns = 80, rows = 24 } = process.stdout;
  const ahead = forecast(view, progressOf(activity), now);
  const size = { width: columns, height: rows - 1, color: pico.isColorSupported, now };
  return renderWatch({ view, activity, forecast: ahead }, size).join('\n');
}

interface Question {
  readonly view: RunView;
  readonly open: OpenDecision;
  readonly approver: string;
  readonly people: LabPeople;
}

async function ask(
  session: TemporalSession,
  run: RunHandle,
  { view, open, approver, people }: Question,
): Promise<void> {
  const on = open.gate ?? open.step;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // The terminal keeps Ctrl-C for itself while it asks.
  terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const choices = open.choices.map(({ choice }) => choice);
    process.stdout.write(`\n${pico.bold(open.question)}\n`);
    for (const { choice, consequence } of open.choices) process.stdout.write(`  ${choice}: ${consequence}\n`);
    const typed = (await terminal.question(`As ${approver}: ${choices.join(', ')}? `)).trim().toLowerCase();
    const [choice, ...others] = choices.filter((one) => typed !== '' && one.startsWith(typed));
    // Too little to be sure: the question comes again.
    if (choice === undefined || others.length > 0) return;
    const needsReason = choice === 'deny' || choice === 'abort';
    const reason = needsReason ? await terminal.question('Why? ') : undefined;
    const decision: Decision = {
      on: choice === 'abort' ? 'run' : on,
      choice,
      by: approver,
      ...(reason === undefined ? {} : { reason }),
    };
    const { text } = await decide(session, run, await provenInLab(people, view, decision), open);
    process.stdout.write(`${text}\n\n`);
  } catch (error) {
    // What was refused is said; the question comes again.
    process.stdout.write(`${messageOf(error)}\n\n`);
  } finally {
    terminal.close();
  }
}
