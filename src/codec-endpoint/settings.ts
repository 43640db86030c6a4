/** Where the codec endpoint listens, and whom it answers. */
import { isIP } from 'node:net';
import { InputError } from '../errors.js';
import { resolveSecretIn } from '../secrets.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface CodecEndpointSettings {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Pages of these origins may use it from a browser; nobody else's. */
  readonly origins: readonly string[];
  /** Where set, callers show it as `Authorization: Bearer ...`. */
  readonly token?: string;
}

/**
 * `MUSTER_CODEC_PORT`, `MUSTER_CODEC_HOST` (127.0.0.1), `MUSTER_CODEC_ORIGINS` (comma-separated; that of
 * `MUSTER_TEMPORAL_UI` where it is left out), `MUSTER_CODEC_TOKEN` (a reference).
 *
 * @returns undefined where no port is named: then there is no endpoint
 * @throws InputError for a value that cannot be used
 */
export async function codecEndpointSettings(env: Environment): Promise<CodecEndpointSettings | undefined> {
  if (!env.MUSTER_CODEC_PORT) return undefined;
  const host = env.MUSTER_CODEC_HOST || '127.0.0.1';
  if (isIP(host) === 0) throw unusable('MUSTER_CODEC_HOST', host, 'an IP address of this machine');
  const origins = env.MUSTER_CODEC_ORIGINS
    ? env.MUSTER_CODEC_ORIGINS.split(',').map((each) => originOf(each.trim()))
    : originsOf(env.MUSTER_TEMPORAL_UI);
  const reference = env.MUSTER_CODEC_TOKEN;
  return {
    host,
    port: portOf(env.MUSTER_CODEC_PORT),
    origins,
    ...(reference ? { token: await resolveSecretIn(env, reference) } : {}),
  };
}

/** The origins under which a browser may show a web interface: on loopback it has two names. */
export function originsOf(url: string | undefined): string[] {
  if (!url) return [];
  const { origin } = new URL(url);
  const twin = origin.replace(/^(https?):\/\/127\.0\.0\.1(?=:|$)/, '$1://localhost');
  return twin === origin ? [origin] : [origin, twin];
}

function originOf(given: string): string {
  try {
    const { origin, protocol } = new URL(given);
    if (/^https?:$/.test(protocol) && given.replace(/\/$/, '') === origin) return origin;
  } catch {
    // Answered below.
  }
  throw unusable('MUSTER_CODEC_ORIGINS', given, 'origins such as http://127.0.0.1:8233, separated by commas');
}

function portOf(given: string): number {
  const port = /^\d{1,5}$/.test(given) ? Number(given) : Number.NaN;
  if (port <= 65_535) return port;
  throw unusable('MUSTER_CODEC_PORT', given, 'a port from 1 to 65535');
}

function unusable(field: string, given: string, allowed: string): InputError {
  return new InputError('The codec endpoint cannot be set up as it is configured.', [
    { field, given, allowed },
  ]);
}
