/** The proof of a fence: a write tried as the application, by its own way, and refused. */
import { messageOf, PermanentError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import type { DatabaseAt, FenceProof } from '../contract.js';

const TRY_MS = 5_000;

/**
 * Refusals that nothing but the fence explains (PostgreSQL manual, appendix A): `28000` the role may not log in, `55000` the
 * database takes no connections. A wrong password (`28P01`) proves nothing: the application may hold the right one.
 */
const REFUSALS: Readonly<Record<string, RegExp>> = {
  '28000': /not permitted to log in/,
  '55000': /not currently accepting connections/,
};

/**
 * Tries to write as the application.
 *
 * @returns what refused it
 * @throws PermanentError `FenceNotProven` when it got in, or when the outcome does not tell
 */
export function proveRefusal(damaged: DatabaseAt): Promise<FenceProof['refusedWrite']> {
  return prove(damaged, REFUSALS);
}

/**
 * The same, later in a recovery: by then the fenced server may have been stopped, and nobody listens at its address.
 *
 * @throws PermanentError `FenceNotProven`
 */
export async function proveRefusalOrSilence(damaged: DatabaseAt): Promise<string> {
  const { answer } = await prove(damaged, { ...REFUSALS, ECONNREFUSED: /./ });
  return answer;
}

async function prove(
  { site, postgres }: DatabaseAt,
  refusals: Readonly<Record<string, RegExp>>,
): Promise<FenceProof['refusedWrite']> {
  const { host, port, database, application } = postgres;
  const at = () => new Date().toISOString();
  let outcome: string;
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
    const { code, text } = answerOf(error);
    if (code !== undefined && refusals[code]?.test(text) === true) {
      return { at: at(), as: application.user, answer: `${code} ${text}` };
    }
    outcome = `got no refusal that only the fence explains: ${code === undefined ? '' : `${code} `}${text}`;
  }
  throw new PermanentError(
    'FenceNotProven',
    `The fence of ${site} is not proven: ${application.user} at ${host}:${port} ${outcome}.`,
    {
      why: 'A primary that may still take writes must not be replaced: payments would be taken at two places.',
      next: 'Find out whether applications can still write there (network, password of the application in the runbook, pg_roles), then retry the step.',
    },
  );
}

/** What the server, or the network, said first. */
export function answerOf(error: unknown): { readonly code: string | undefined; readonly text: string } {
  let innermost: unknown = error;
  while (causeOf(innermost) !== undefined) innermost = causeOf(innermost);
  const { code } = innermost as { code?: string };
  return { code, text: messageOf(innermost) || (code ?? 'no answer') };
}

function causeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
}
