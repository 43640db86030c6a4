import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { MusterError, messageOf, type PermanentError, TransientError } from '../../src/errors.js';
import { formatDuration } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { type RunOutcome, runTool } from '../../src/process.js';
import type { Application } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, RungCheck, RungResult } from '../contract.js';
import { check, passed, verificationFailed } from './check.js';
import { converse } from './conversation.js';

type Input = Parameters<MusterActivities['verifyApplication']>[0];
type Trial = NonNullable<Application['trial']>;

const RUNG = 8;
const HEALTHY_MS = 60_000;
const ANSWER_MS = 5_000;
const TRIAL_MS = 30 * 60_000;

/**
 * Rung 8: starts the application against the copy, waits until it is healthy and tries every business function that only
 * reads. The application is ended whatever happens.
 *
 * @throws PermanentError `VerificationFailed`; TransientError `ApplicationUnreachable` when it was healthy and then did not answer
 */
export async function verifyApplication(
  { target, application }: Input,
  update: (progress: Progress) => void,
): Promise<RungResult> {
  const { trial } = application;
  if (trial === undefined) {
    throw verificationFailed(
      { rung: RUNG, title: 'the application' },
      'The runbook names no way to start it against the copy.',
      'Name one (applications.<name>.trial): what was not tried is not promoted.',
    );
  }
  const port = await freePort();
  const ended = new AbortController();
  const signal = activitySignal();
  const running = startTrial(trial, target, port, AbortSignal.any([signal, ended.signal]));
  try {
    return await tryApplication(application, port, running, signal, update);
  } finally {
    ended.abort();
    await running.outcome.catch(() => undefined);
  }
}

interface Trialled {
  readonly outcome: Promise<RunOutcome>;
  /** Set once the application has ended by itself. */
  ended: string | undefined;
  readonly lastLines: readonly string[];
}

function startTrial(trial: Trial, target: DatabaseAt, port: number, signal: AbortSignal): Trialled {
  const [program = '', ...args] = trial.command;
  const lastLines: string[] = [];
  const keep = (line: string) => {
    lastLines.push(line.slice(0, 300));
    if (lastLines.length > 10) lastLines.shift();
  };
  const outcome = runTool(program, args, {
    env: {
      ...trial.environment,
      MUSTER_PORT: String(port),
      MUSTER_DATABASE_HOST: target.postgres.host,
      MUSTER_DATABASE_PORT: String(target.postgres.port),
    },
    timeoutMs: TRIAL_MS,
    signal,
    onLine: keep,
    onErrorLine: keep,
  });
  const trialled: Trialled = { outcome, ended: undefined, lastLines };
  outcome.then(
    ({ exitCode }) => {
      trialled.ended = `it ended with ${exitCode}`;
    },
    (error: unknown) => {
      trialled.ended = messageOf(error);
    },
  );
  return trialled;
}

async function tryApplication(
  application: Application,
  port: number,
  running: Trialled,
  signal: AbortSignal,
  update: (progress: Progress) => void,
): Promise<RungResult> {
  const baseUrl = `http://127.0.0.1:${port}`;
  const tool = {
    rung: RUNG,
    tool: `${application.component} started read-only on the copy`,
    toolVersion: 'as installed',
  };
  const readOnly = application.functions.filter((one) => one.readOnly);
  const total = readOnly.length + 1;
  update({ done: 0, total, unit: 'rows', text: 'starting the application against the copy' });
  const health = { ...tool, title: 'the application is healthy' };
  const checks: RungCheck[] = [
    await check(health, async () => {
      const took = await waitHealthy(health, `${baseUrl}${application.healthPath}`, running, signal);
      return `healthy after ${formatDuration(took)}`;
    }),
  ];
  for (const business of readOnly) {
    update({ done: checks.length, total, unit: 'rows', text: `trying: ${business.title}` });
    const heading = { ...tool, title: business.title };
    checks.push(
      await check(heading, async () => {
        try {
          const { answers } = await converse(baseUrl, business, { signal });
          return `${business.name}: ${answers.length} answers as expected`;
        } catch (error) {
          signal.throwIfAborted();
          // Nothing was found wrong: it is tried again.
          if (error instanceof TransientError && running.ended === undefined) throw error;
          const answer = error instanceof MusterError && error.why !== undefined ? ` ${error.why}` : '';
          throw failed(heading, `${messageOf(error)}${answer}`, running, error);
        }
      }),
    );
  }
  return passed(checks);
}

async function waitHealthy(
  heading: { readonly rung: number; readonly title: string },
  url: string,
  running: Trialled,
  signal: AbortSignal,
): Promise<number> {
  const begun = performance.now();
  let answer = 'no answer yet';
  // A machine that stood still has not waited: a look counts for no longer than one may take.
  for (let waitedMs = 0, look = begun; waitedMs < HEALTHY_MS; ) {
    signal.throwIfAborted();
    if (running.ended !== undefined)
      throw failed(heading, `the application is gone: ${running.ended}.`, running);
    try {
      const response = await fetch(url, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
        headers: { connection: 'close' },
      });
      await response.body?.cancel();
      if (response.ok) return performance.now() - begun;
      answer = `status ${response.status}`;
    } catch (error) {
      signal.throwIfAborted();
      answer = messageOf(error);
    }
    await wait(50, undefined, { signal });
    const now = performance.now();
    waitedMs += Math.min(now - look, ANSWER_MS);
    look = now;
  }
  throw failed(heading, `it is not healthy after ${HEALTHY_MS / 1000} s: ${url} gives ${answer}.`, running);
}

function failed(
  heading: { readonly rung: number; readonly title: string },
  found: string,
  running: Trialled,
  cause?: unknown,
): PermanentError {
  const said = running.lastLines.slice(-3).join(' | ');
  const next =
    cause instanceof MusterError
      ? cause.next
      : 'Correct how it is started (applications.<name>.trial) or look for what it misses in the copy, then retry the step.';
  return verificationFailed(heading, said === '' ? found : `${found} It said: ${said}`, next);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
