/** The proof of a fence: a write tried as the application, by its own way, and refused. */
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import type { DatabaseAt, FenceProof } from '../contract.js';

const TRY_MS = 5_000;

export type RefusedWrite = NonNullable<FenceProof['refusedWrite']>;

/**
 * Refusals that nothing but the fence explains, and the server's function that raises them, because messages come in the
 * server's language (PostgreSQL source: utils/init/miscinit.c, postinit.c): the role may not log in; the database takes no
 * connections. A wrong password (`28P01`) or a refusal by pg_hba.conf (`28000` too) proves nothing: the application may come
 * from elsewhere, with the right one.
 */
const REFUSALS: readonly string[] = ['28000 InitializeSessionUserId', '55000 CheckMyDatabase'];

/**
 * Tries to write as the application.
 *
 * @returns what refused it
 * @throws PermanentError `FenceNotProven` when it got in, or when the outcome does not tell
 */
export function proveRefusal(damaged: DatabaseAt): Promise<RefusedWrite> {
  return prove(damaged, REFUSALS);
}

/**
 * The same, later in a recovery: by then the fenced server may have been stopped, and nobody listens at its address.
 *
 * @throws PermanentError `FenceNotProven`
 */
export async function proveRefusalOrSilence(damaged: DatabaseAt): Promise<string> {
  const { answer } = await prove(damaged, [...REFUSALS, 'ECONNREFUSED']);
  return answer;
}

/**
 * Right before a promotion: nobody has taken the fence away since it was proven. A host that has gone silent meanwhile took
 * its fence along; a server that answers anything but the refusal has not.
 *
 * @throws PermanentError `FenceNotProven`
 */
export async function requireStillFenced(damaged: DatabaseAt): Promise<void> {
  try {
    await proveRefusalOrSilence(damaged);
  } catch (error) {
    const { cause } = error as PermanentError;
    // An SQLSTATE, which has a digit: a server speaks.
    if (!(cause instanceof TransientError) || /^(?=.*\d)[0-9A-Z]{5}$/.test(answerOf(cause).code ?? '')) {
      throw error;
    }
  }
}

async function prove({ site, postgres }: DatabaseAt, refusals: readonly string[]): Promise<RefusedWrite> {
  const { host, port, database, application } = postgres;
  const at = () => new Date().toISOString();
  let outcome: string;
  let cause: unknown;
  try {
    outcome = await withClient(
      { host, port, database, ...application },
      { statementTimeoutMs: TRY_MS, connectTimeoutMs: TRY_MS, applicationName: 'muster proof' },
      async (client) => {
        // Leaves nothing behind, yet needs all that a write needs.
        await client.query('begin; create temporary table muster_proof (x integer); rollback');
        return 'could write';
      },
    );
  } catch (error) {
    const { code, routine, text } = answerOf(error);
    if (refusals.includes([code, routine].filter((part) => part !== undefined).join(' '))) {
      return { at: at(), as: application.user, answer: `${code} ${text}` };
    }
    cause = error;
    outcome = `got no refusal that only the fence explains: ${code === undefined ? '' : `${code} `}${text}`;
  }
  throw new PermanentError(
    'FenceNotProven',
    `The fence of ${site} is not proven: ${application.user} at ${host}:${port} ${outcome}.`,
    {
      why: 'A primary that may still take writes must not be replaced: payments would be taken at two places.',
      next: 'Find out whether applications can still write there (network, password of the application in the runbook, pg_roles), then retry the step.',
      cause,
    },
  );
}

export interface Answer {
  /** SQLSTATE, or the operating system's code. */
  readonly code: string | undefined;
  /** The server's function that raised it. */
  readonly routine: string | undefined;
  readonly text: string;
}

/** What the server, or the network, said first. */
export function answerOf(error: unknown): Answer {
  let innermost: unknown = error;
  while (causeOf(innermost) !== undefined) innermost = causeOf(innermost);
  const { code, routine } = innermost as { code?: string; routine?: string };
  return { code, routine, text: messageOf(innermost) || (code ?? 'no answer') };
}

function causeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
}
