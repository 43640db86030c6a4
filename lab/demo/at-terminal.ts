/** The demo at a terminal: the commander's screen, and what `muster decide` asks whenever a person is awaited. */
import { setTimeout as delay } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';
import pico from 'picocolors';
import { decideOnce } from '../../src/cli/choosing.js';
import { CliContext } from '../../src/cli/context.js';
import { showSituation } from '../../src/cli/decide-session.js';
import { LeftError, Prompts } from '../../src/cli/prompts.js';
import { renderWatch } from '../../src/cli/render/watch.js';
import type { Prover } from '../../src/cli/sender.js';
import type { RunView } from '../../src/model/run.js';
import type { TemporalSession } from '../../src/temporal/connection.js';
import { type Look, lookAt } from '../../src/temporal/observe.js';
import { progressOf } from '../../src/temporal/progress.js';
import type { RunHandle } from '../../src/temporal/runs.js';
import { forecast } from '../../workflows/engine/forecast.js';
import { LabError } from '../errors.js';
import { type LabPeople, provenInLab } from '../people.js';

const LOOK_EVERY_MS = 500;
/** Whoever decides nothing is asked again after this. */
const ASK_AGAIN_MS = 10_000;

/**
 * Shows the run until it is over and asks the person at the terminal whatever it waits for.
 * @param people with what those of the roster whom the lab knows are proven
 */
export async function commandAtTerminal(
  session: TemporalSession,
  run: RunHandle,
  people: LabPeople,
): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  const world = { streams: { stdout, stderr }, stdin, env, cwd: process.cwd(), version: 'demo' };
  const context = new CliContext(world, () => ({}));
  const prompts = new Prompts({ input: stdin, output: stdout });
  const prover: Prover = ({ view }, said) => provenInLab(people, view, said);
  const screen = createLogUpdate(stdout);
  let askFrom = 0;
  for (;;) {
    const look = await lookAt(session, run);
    if (look.brokenOff !== undefined) {
      throw new LabError(`The run broke off: ${look.brokenOff}.`, 'Look at it in the Temporal UI.');
    }
    const { view } = look;
    if (view !== undefined) {
      screen(draw(view, look));
      if (view.endedAt !== undefined) return screen.done();
      if (view.openDecisions.length > 0 && Date.now() >= askFrom) {
        screen.clear();
        showSituation(context, look, view);
        const decided = await decideOnce(context, prompts, { session, run, view }, undefined, prover).catch(
          interruptIfLeft,
        );
        askFrom = decided ? 0 : Date.now() + ASK_AGAIN_MS;
      }
    }
    await delay(LOOK_EVERY_MS);
  }
}

function draw(view: RunView, { activity = {}, outputs }: Look): string {
  const now = Date.now();
  const { columns = 80, rows = 24 } = process.stdout;
  const ahead = forecast(view, progressOf(activity), now);
  const size = { width: columns, height: rows - 1, color: pico.isColorSupported, now };
  return renderWatch({ view, activity, forecast: ahead, outputs }, size).join('\n');
}

/** While it is asked the terminal keeps Ctrl-C for itself. */
function interruptIfLeft(error: unknown): boolean {
  if (!(error instanceof LeftError)) throw error;
  process.kill(process.pid, 'SIGINT');
  return false;
}
