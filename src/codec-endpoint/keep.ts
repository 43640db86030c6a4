/** The codec endpoint of a worker. It never stands in the way of the worker's own work. */
import type { PayloadCodec } from '@temporalio/common';
import { messageOf } from '../errors.js';
import type { Logger } from '../log.js';
import { type CodecEndpoint, startCodecEndpoint } from './server.js';
import { codecEndpointSettings } from './settings.js';

/** Of two workers on a machine one serves; the other takes over within this when it has gone. */
const AGAIN_MS = 3_000;

export interface KeptEndpoint {
  close(): Promise<void>;
}

/**
 * Serves the endpoint that the environment asks for; none where it names no port. While the port is taken it is tried again.
 *
 * @throws InputError for settings that cannot be used
 */
export async function keepCodecEndpoint(
  env: Readonly<Record<string, string | undefined>>,
  codec: PayloadCodec | undefined,
  log: Logger,
): Promise<KeptEndpoint> {
  const settings = await codecEndpointSettings(env);
  if (settings === undefined) return { close: async () => undefined };
  const stop = new AbortController();
  let serving: CodecEndpoint | undefined;
  let complained = false;
  const attempt = async (): Promise<void> => {
    try {
      serving = await startCodecEndpoint(settings, codec);
      const open = !/^(127\.|::1$)/.test(settings.host) && settings.token === undefined;
      const told = { url: serving.url, origins: settings.origins };
      if (open)
        log.warn(told, 'codec endpoint ready, for whoever reaches it: MUSTER_CODEC_TOKEN names no token');
      else log.info(told, 'codec endpoint ready');
      if (stop.signal.aborted) await serving.close();
    } catch (error) {
      if (!complained) log.warn({ error: messageOf(error) }, 'codec endpoint not started, tried again');
      complained = true;
      const timer = setTimeout(() => void attempt(), AGAIN_MS).unref();
      stop.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    }
  };
  await attempt();
  return {
    close: async () => {
      stop.abort();
      await serving?.close();
    },
  };
}
