/** The connection of commands to Temporal. Workers connect by themselves, to the same target. */
import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import { messageOf, RefusedError } from '../errors.js';
import { dataConverterFor } from './codec-converter.js';
import type { TemporalTarget } from './target.js';

/** A server that does not answer is told within this. */
export const CONNECT_MS = 3_000;

const NOT_FOUND = 5;

export interface TemporalSession {
  readonly target: TemporalTarget;
  readonly connection: Connection;
  readonly client: Client;
  close(): Promise<void>;
}

/**
 * Connects and looks whether the namespace is there.
 *
 * @throws InputError when there is no key to encrypt payloads with
 * @throws RefusedError `TemporalUnreachable` when the server does not answer within three seconds, `NamespaceMissing` when it
 *   does not know the namespace
 */
export async function connectTemporal(target: TemporalTarget): Promise<TemporalSession> {
  const dataConverter = await dataConverterFor(target.payloads);
  const connection = Connection.lazy({ ...target.connection, connectTimeout: CONNECT_MS });
  try {
    await connection.ensureConnected();
    await connection.withDeadline(Date.now() + CONNECT_MS, () =>
      connection.workflowService.describeNamespace({ namespace: target.namespace }),
    );
  } catch (error) {
    await connection.close();
    throw cannotUse(target, error);
  }
  const client = new Client({ connection, namespace: target.namespace, dataConverter });
  return { target, connection, client, close: () => connection.close() };
}

function cannotUse(target: TemporalTarget, error: unknown): RefusedError {
  const { address, namespace } = target;
  const details = { address, namespace };
  if (isGrpcServiceError(error) && error.code === NOT_FOUND) {
    return new RefusedError(
      'NamespaceMissing',
      `The Temporal server at ${address} has no namespace ${namespace}. Nothing has been started.`,
      { next: 'Set TEMPORAL_NAMESPACE to one that is there, or create it.', cause: error, details },
    );
  }
  return new RefusedError(
    'TemporalUnreachable',
    `The Temporal server at ${address} does not answer. Nothing has been started.`,
    {
      why: reasonOf(error),
      next:
        target.namedBy === 'lab'
          ? `It is the lab's: see muster lab status, and muster lab up to start it again.`
          : target.namedBy === 'embedded'
            ? 'It is that of muster serve on this machine: look what that says, end it and start it again.'
            : `Look whether it runs there and can be reached, or set TEMPORAL_ADDRESS to another. If Temporal itself is lost, muster plan --markdown prints what to do by hand.`,
      cause: error,
      details,
    },
  );
}

function reasonOf(error: unknown): string {
  const text = messageOf(error);
  return /waitForReady|deadline|Failed to connect before/i.test(text)
    ? `No connection within ${CONNECT_MS / 1000} s (${text}).`
    : text;
}
