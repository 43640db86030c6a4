import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** What a request is answered with. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const BODY_LIMIT_BYTES = 64 * 1_024;

/** Serves JSON on loopback. A handler that answers by itself returns undefined. */
export async function serve(
  port: number,
  handle: (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<Answer | undefined>,
): Promise<Server> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    handle(request, response, url)
      .catch((error: unknown) => ({
        status: 500,
        body: { error: error instanceof Error ? error.message : String(error) },
      }))
      .then((answer) => {
        if (!answer) return;
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(`${JSON.stringify(answer.body)}\n`);
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

/** The request's body as JSON; undefined when it is none. @throws Error when it is too long. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > BODY_LIMIT_BYTES) throw new Error(`the body is longer than ${BODY_LIMIT_BYTES} bytes`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Ends the process in order when it is told to. */
export function endOnSignal(close: () => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void close().finally(() => process.exit(0)));
  }
}

/** A variable that a service cannot do without. */
export function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing in the environment`);
  return value;
}
