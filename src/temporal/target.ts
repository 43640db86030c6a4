/** Which Temporal server is meant. */
import { resolve } from 'node:path';
import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { defaultLabDir, layoutOf } from '../../lab/layout.js';
import { type LabState, readState } from '../../lab/state.js';
import { InputError, messageOf } from '../errors.js';

export interface TemporalTarget {
  /** `host:port`. */
  readonly address: string;
  readonly namespace: string;
  readonly connection: ConnectionOptions;
  readonly namedBy: 'environment' | 'lab';
  /** Where its web interface is; absent where nothing says so. */
  readonly uiUrl?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The server of Temporal's own environment configuration (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
 * `TEMPORAL_TLS`..., or a profile of its configuration file, `TEMPORAL_PROFILE`), else that of the lab that is up.
 * `MUSTER_TEMPORAL_UI` says where the web interface is.
 *
 * @throws InputError when neither names a server, or what names it cannot be read
 */
export async function findTemporal(env: Environment = process.env): Promise<TemporalTarget> {
  const configured = readConfiguration(env);
  const { address } = configured.connectionOptions;
  const lab = await labOf(env);
  const uiUrl =
    env.MUSTER_TEMPORAL_UI || (address === undefined || address === lab?.address ? lab?.uiUrl : undefined);
  const common = {
    namespace: configured.namespace ?? lab?.namespace ?? 'default',
    ...(uiUrl ? { uiUrl } : {}),
  };
  if (address !== undefined && address !== '') {
    const connection = configured.connectionOptions as ConnectionOptions;
    return { ...common, address, connection, namedBy: 'environment' };
  }
  if (lab !== undefined) {
    return { ...common, address: lab.address, connection: { address: lab.address }, namedBy: 'lab' };
  }
  throw new InputError('It is not said which Temporal server to use, and no lab is up.', [
    {
      field: 'TEMPORAL_ADDRESS',
      given: 'nothing',
      allowed:
        'host:port of a Temporal server (TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and the other variables of its tools count too), or a profile of its configuration file with TEMPORAL_PROFILE; muster lab up starts one to try Muster with',
    },
  ]);
}

async function labOf(env: Environment): Promise<LabState['temporal'] | undefined> {
  const layout = layoutOf(env.MUSTER_LAB ? resolve(env.MUSTER_LAB) : defaultLabDir());
  return (await readState(layout))?.temporal;
}

function readConfiguration(env: Environment): ReturnType<typeof loadClientConnectConfig> {
  const variables = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  try {
    return loadClientConnectConfig({
      overrideEnvVars: variables,
      ...(env.TEMPORAL_PROFILE ? { profile: env.TEMPORAL_PROFILE } : {}),
    });
  } catch (error) {
    throw new InputError('The configuration of the Temporal client cannot be read.', [
      {
        field: env.TEMPORAL_CONFIG_FILE ? 'TEMPORAL_CONFIG_FILE' : 'TEMPORAL_PROFILE',
        given: messageOf(error),
        allowed: 'what docs.temporal.io describes as environment configuration',
      },
    ]);
  }
}

/** Address of a run in Temporal's web interface; undefined where it is not known. */
export function uiLink(
  target: TemporalTarget,
  workflowId: string,
  temporalRunId: string,
): string | undefined {
  if (target.uiUrl === undefined) return undefined;
  const part = encodeURIComponent;
  const path = `namespaces/${part(target.namespace)}/workflows/${part(workflowId)}/${part(temporalRunId)}`;
  return `${target.uiUrl.replace(/\/+$/, '')}/${path}`;
}
