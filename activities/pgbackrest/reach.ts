import type { MusterError } from '../../src/errors.js';
import { failureOf, type PgbackrestScope, runPgbackrest } from './command.js';

/** Long enough for a healthy store, short enough to go to another one: a dead one is known after four times this. */
const SILENCE_SECONDS = 1;

/**
 * Which repositories answer. Asked before anything depends on them, because pgBackRest waits for a dead one for minutes.
 *
 * @returns repository -> undefined where it answers, else why it does not
 */
export async function askRepositories(
  scope: PgbackrestScope,
  repositories: readonly number[],
): Promise<ReadonlyMap<number, MusterError | undefined>> {
  return new Map(
    await Promise.all(
      repositories.map(async (repository) => [repository, await ask(scope, repository)] as const),
    ),
  );
}

async function ask(scope: PgbackrestScope, repository: number): Promise<MusterError | undefined> {
  const outcome = await runPgbackrest(scope, [`--repo=${repository}`, 'repo-ls', `archive/${scope.stanza}`], {
    timeoutMs: 30_000,
    silenceSeconds: SILENCE_SECONDS,
  });
  if (outcome.exitCode === 0) return undefined;
  const next = 'See whether the object store answers; the step tries again by itself for a while.';
  return failureOf(scope, outcome, `Asking repository ${repository}`, next).error;
}
