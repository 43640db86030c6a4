/** Which Temporal server is meant. */
import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { type EmbeddedState, runningEmbedded } from '../embedded/state.js';
import { InputError, messageOf } from '../errors.js';
import { musterHome } from '../home.js';
import { type LocalLab, localLab } from '../lab-environment.js';

export interface TemporalTarget {
  /** `host:port`. */
  readonly address: string;
  readonly namespace: string;
  readonly connection: ConnectionOptions;
  readonly namedBy: 'environment' | 'lab' | 'embedded';
  /** What says how payloads are encrypted there: the environment, completed by what the lab or the embedded server uses. */
  readonly payloads: Environment;
  /** Where its web interface is; absent where nothing says so. */
  readonly uiUrl?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A server of Temporal that runs on this machine for Muster alone. */
interface OwnServer {
  readonly namedBy: 'lab' | 'embedded';
  readonly address: string;
  readonly uiUrl: string;
  readonly namespace: string;
  readonly payloads: Environment;
}

/**
 * The server of Temporal's own environment configuration (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
 * `TEMPORAL_TLS`..., or a profile of its configuration file, `TEMPORAL_PROFILE`), else that of the lab that is up, else that of
 * `muster serve`. `MUSTER_TEMPORAL_UI` says where the web interface is.
 *
 * @throws InputError when none of them names a server, or what names it cannot be read
 */
export async function findTemporal(env: Environment = process.env): Promise<TemporalTarget> {
  const configured = readConfiguration(env);
  const { address } = configured.connectionOptions;
  const named = address !== undefined && address !== '';
  const own = await ownServers(env);
  const meant = named ? own.find((each) => each.address === address) : own[0];
  const uiUrl = env.MUSTER_TEMPORAL_UI || meant?.uiUrl;
  const common = {
    namespace: configured.namespace ?? meant?.namespace ?? 'default',
    ...(uiUrl ? { uiUrl } : {}),
    payloads: payloadsOf(env, meant),
  };
  if (named) {
    const connection = configured.connectionOptions as ConnectionOptions;
    return { ...common, address, connection, namedBy: 'environment' };
  }
  if (meant !== undefined) {
    const { namedBy } = meant;
    return { ...common, address: meant.address, connection: { address: meant.address }, namedBy };
  }
  throw new InputError(
    'It is not said which Temporal server to use, no lab is up, and muster serve does not run.',
    [
      {
        field: 'TEMPORAL_ADDRESS',
        given: 'nothing',
        allowed:
          'host:port of a Temporal server (TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and the other variables of its tools count too), or a profile of its configuration file with TEMPORAL_PROFILE; muster serve starts one on this machine, muster lab up one to try Muster with',
      },
    ],
  );
}

/** What is said in the environment counts; a switch that is set without keys is not completed by keys. */
function payloadsOf(env: Environment, own: OwnServer | undefined): Environment {
  const said = env.MUSTER_PAYLOAD_KEYS || env.MUSTER_PAYLOAD_ENCRYPTION;
  return said ? env : { ...env, ...own?.payloads };
}

async function ownServers(env: Environment): Promise<OwnServer[]> {
  const [lab, embedded] = await Promise.all([localLab(env), runningEmbedded(musterHome(env))]);
  return [
    ...(lab === undefined ? [] : [serverOf(lab)]),
    ...(embedded === undefined
      ? []
      : [{ ...embedded.temporal, namedBy: 'embedded' as const, payloads: embeddedPayloads(embedded) }]),
  ];
}

function serverOf({ environment, temporalUi }: LocalLab): OwnServer {
  const payloads = Object.entries(environment).filter(([name]) => name.startsWith('MUSTER_PAYLOAD_'));
  return {
    namedBy: 'lab',
    address: environment.TEMPORAL_ADDRESS ?? '',
    namespace: environment.TEMPORAL_NAMESPACE ?? 'default',
    uiUrl: temporalUi,
    payloads: Object.fromEntries(payloads),
  };
}

function embeddedPayloads({ payloadKeys }: EmbeddedState): Environment {
  return payloadKeys === undefined
    ? { MUSTER_PAYLOAD_ENCRYPTION: 'off' }
    : { MUSTER_PAYLOAD_KEYS: payloadKeys };
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
