/**
 * A program of the owner's. It is told what to do by environment variables and one JSON object on standard input, answers with
 * one JSON object (its outputs) on standard output or nothing, and says on standard error what it is doing.
 */
import { z } from 'zod';
import { PermanentError, TransientError } from '../../src/errors.js';
import { runTool } from '../../src/process.js';
import type { OwnersCommand } from '../../src/runbook/schema.js';
import { activitySignal, attempt } from '../context.js';
import type { Json, Outputs, StepRef } from '../contract.js';
import { withProgress } from '../progress.js';
import { resolveEnvironment, withoutSecrets } from './environment.js';

const MOST_ANSWER = 256 * 1024;
const LAST_LINES = 5;
const LINE_LENGTH = 300;
/** The program may have to let go of what it holds. */
const GRACE_MS = 30_000;
/** EX_TEMPFAIL of sysexits.h: trying again may help. */
const TRY_AGAIN = 75;

const answerSchema = z.record(z.string(), z.json());

/** What a program is told, as JSON on standard input. */
export type Instructions = Readonly<Record<string, Json | undefined>>;

/**
 * @param what the section of the runbook that names the program, for errors
 * @param told further environment variables, with names that begin with `MUSTER_`
 * @throws PermanentError `CommandFailed`, `AnswerUnreadable`, `AnswerHoldsSecret`, `ToolMissing`, `ToolTimedOut`; TransientError
 *   `CommandNotYet` when the program asks to be tried again (exit code 75)
 */
export async function runOwnersCommand(
  at: StepRef,
  what: string,
  section: Omit<OwnersCommand, 'driver'>,
  instructions: Instructions,
  told: Readonly<Record<string, string>> = {},
): Promise<Outputs> {
  const [program = '', ...args] = section.command;
  const { env, secrets } = await resolveEnvironment(section.environment);
  const answer: string[] = [];
  const said: string[] = [];
  let answerLength = 0;
  const { exitCode } = await withProgress(
    { done: 0, unit: 'seconds', text: `running ${program}` },
    async (update) => {
      const begun = performance.now();
      return runTool(program, args, {
        env: {
          ...env,
          MUSTER_RUN: at.runId,
          MUSTER_SYSTEM: at.system,
          MUSTER_SCENARIO: at.scenario,
          MUSTER_STEP: at.step,
          MUSTER_MODE: at.mode,
          MUSTER_ATTEMPT: String(attempt()),
          ...told,
        },
        cwd: section.directory,
        timeoutMs: section.timeout,
        graceMs: GRACE_MS,
        signal: activitySignal(),
        input: JSON.stringify({ run: at.runId, system: at.system, step: at.step, ...instructions }),
        onLine: (line) => {
          answerLength += line.length + 1;
          if (answerLength <= MOST_ANSWER) answer.push(line);
        },
        onErrorLine: (line) => {
          const text = withoutSecrets(line, secrets).slice(0, LINE_LENGTH);
          if (text.trim() === '') return;
          said.push(text);
          if (said.length > LAST_LINES) said.shift();
          update({ done: Math.round((performance.now() - begun) / 1000), unit: 'seconds', text });
        },
      });
    },
  );
  if (exitCode !== 0) throw failed(what, program, exitCode, said);
  return outputsOf(what, program, { text: answer.join('\n'), length: answerLength, secrets });
}

function outputsOf(
  what: string,
  program: string,
  answer: { readonly text: string; readonly length: number; readonly secrets: readonly string[] },
): Outputs {
  const next = `Have it print one JSON object (or nothing) on standard output and everything else on standard error (${what}), then retry the step.`;
  if (answer.length > MOST_ANSWER) {
    throw new PermanentError(
      'AnswerUnreadable',
      `${program} printed more than ${MOST_ANSWER / 1024} kB on standard output.`,
      { next },
    );
  }
  if (answer.text.trim() === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer.text);
  } catch {
    parsed = undefined;
  }
  const outputs = answerSchema.safeParse(parsed);
  if (!outputs.success) {
    throw new PermanentError(
      'AnswerUnreadable',
      `${program} did its work, but what it printed on standard output is no JSON object.`,
      { next },
    );
  }
  if (answer.secrets.some((secret) => secret !== '' && answer.text.includes(secret))) {
    throw new PermanentError('AnswerHoldsSecret', `${program} printed a secret that it was given.`, {
      why: 'Outputs are kept in the history of the run.',
      next: `Have it leave the secret out (${what}), then retry the step.`,
    });
  }
  return outputs.data as Outputs;
}

function failed(what: string, program: string, exitCode: number, said: readonly string[]): Error {
  const last = said.length === 0 ? 'It said nothing.' : `It said: ${said.join(' | ')}`;
  if (exitCode === TRY_AGAIN) {
    return new TransientError('CommandNotYet', `${program} asks to be tried again. ${last}`, {
      next: 'The step tries again by itself.',
    });
  }
  return new PermanentError('CommandFailed', `${program} ended with ${exitCode}. ${last}`, {
    next: `Correct what it complains about (${what}), then retry the step: it is run again from its beginning.`,
    details: { exitCode },
  });
}
