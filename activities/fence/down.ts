/** A primary that does not answer: only a server process that is proven not to run counts as fenced. */
import { messageOf, PermanentError } from '../../src/errors.js';
import { serviceOf } from '../service/index.js';
import type { FenceOrder } from './driver.js';
import { answerOf } from './proof.js';

/**
 * Proves that the primary is down: its host refuses connections, the data directory there is the right one, and no server
 * runs on it.
 *
 * @param failure why the administrator's connection did not come about
 * @returns the proof, in words
 * @throws PermanentError `PrimaryUnreachable` when anything of it is unknown
 */
export async function proveDown(order: FenceOrder, failure: unknown): Promise<string> {
  const { site, postgres } = order.damaged;
  const { code, text } = answerOf(failure);
  const unknown = (why: string, serverSeen: boolean, cause?: unknown) =>
    new PermanentError(
      'PrimaryUnreachable',
      `The primary at ${site} (${postgres.host}:${postgres.port}) cannot be fenced: Muster does not get in (${text}).`,
      {
        why: `${why} Unknown means that it may still take writes.`,
        next: [
          'Restore the way to it and retry the step; or stop its server for good (power, network) and retry with a worker on its host, which proves that it is down;',
          'or, where nobody can reach it, go on without proof, as the runbook allows it (breakGlass); or abort and let the primary be.',
        ].join(' '),
        cause: cause ?? failure,
        details: { serverSeen },
      },
    );
  if (code !== 'ECONNREFUSED') {
    throw unknown('It did not refuse the connection, so somebody may be there.', speaks(code));
  }
  const { pid, control } = await inspect(order).catch((error: unknown) => {
    throw unknown(`Nor can its server's process be seen from here: ${messageOf(error)}.`, false, error);
  });
  if (pid !== undefined) throw unknown(`Its server runs (process ${pid}).`, true);
  if (control.systemIdentifier !== order.systemIdentifier) {
    throw unknown(
      `The data directory that this worker sees belongs to system ${control.systemIdentifier}, not to ${order.systemIdentifier}.`,
      false,
    );
  }
  return `connection refused; no server runs on ${postgres.service.dataDirectory} (${control.state})`;
}

/** An SQLSTATE, which has a digit, comes from a server; the network's own words do not. */
function speaks(code: string | undefined): boolean {
  return /^(?=.*\d)[0-9A-Z]{5}$/.test(code ?? '');
}

async function inspect(order: FenceOrder) {
  const service = serviceOf(order.damaged.postgres);
  return { control: await service.control(), pid: await service.pid() };
}
