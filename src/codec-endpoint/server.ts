/**
 * Decrypts payloads for Temporal's UI and command line, over HTTP: Temporal's remote codec protocol
 * (https://docs.temporal.io/codec-server): `POST /decode` and `POST /encode` with `{"payloads": [...]}`, metadata and data
 * in Base64, answered in the same form.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PayloadCodec } from '@temporalio/common';
import { MusterError, messageOf } from '../errors.js';
import { readPayloads, writePayloads } from './payloads-json.js';
import type { CodecEndpointSettings } from './settings.js';

/** A page of history at once, and a little more. */
const LARGEST_BYTES = 64 * 1024 * 1024;

export interface CodecEndpoint {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts the endpoint.
 *
 * @param codec undefined: payloads are in clear, and pass
 * @throws the operating system's error when the port is taken
 */
export async function startCodecEndpoint(
  settings: CodecEndpointSettings,
  codec: PayloadCodec | undefined,
): Promise<CodecEndpoint> {
  const server = createServer((request, response) => {
    void answer(request, response, settings, codec);
  });
  await listen(server, settings);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { host, port }: CodecEndpointSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** What is answered instead of payloads. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  settings: CodecEndpointSettings,
  codec: PayloadCodec | undefined,
): Promise<void> {
  const reply = (status: number, body?: unknown) => {
    response.writeHead(status, {
      'cache-control': 'no-store',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };
  try {
    allowOrigin(request, response, settings);
    if (request.method === 'OPTIONS') return reply(204);
    const { pathname } = new URL(request.url ?? '/', 'http://endpoint');
    if (pathname === '/health' && request.method === 'GET') return reply(200, { status: 'ok' });
    if (pathname !== '/encode' && pathname !== '/decode')
      throw new Refusal(404, 'There is /encode and /decode.');
    if (request.method !== 'POST') throw new Refusal(405, `${pathname} takes POST.`);
    requireToken(request, settings);
    const payloads = readPayloads(await bodyOf(request)) ?? [];
    const done = await (pathname === '/encode' ? codec?.encode(payloads) : codec?.decode(payloads));
    reply(200, writePayloads(done ?? payloads));
  } catch (error) {
    const refused = error instanceof Refusal ? error.status : 400;
    const next = error instanceof MusterError ? { code: error.code, next: error.next } : {};
    reply(refused, { error: error instanceof MusterError ? error.message : messageOf(error), ...next });
  }
}

/** A browser says which page asks: only the UI's may, whatever address this endpoint was found at. */
function allowOrigin(
  request: IncomingMessage,
  response: ServerResponse,
  settings: CodecEndpointSettings,
): void {
  const { origin } = request.headers;
  response.setHeader('vary', 'Origin');
  if (origin === undefined) return;
  if (!settings.origins.includes(origin)) throw new Refusal(403, 'This page may not use the codec endpoint.');
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', 'POST, GET, OPTIONS');
  response.setHeader('access-control-allow-headers', 'content-type, x-namespace, authorization');
  response.setHeader('access-control-allow-credentials', 'true');
  response.setHeader('access-control-max-age', '600');
}

function requireToken(request: IncomingMessage, { token }: CodecEndpointSettings): void {
  if (token === undefined) return;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const given = request.headers.authorization ?? '';
  if (!timingSafeEqual(digest(given), digest(`Bearer ${token}`))) {
    throw new Refusal(401, 'The token of the codec endpoint is needed: Authorization: Bearer ...');
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LARGEST_BYTES) throw new Refusal(413, `At most ${LARGEST_BYTES} bytes at once.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
