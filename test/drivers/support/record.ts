import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface OutsideRecord {
  readonly url: string;
  /** What it tells, oldest first; it keeps to `since`. */
  records: readonly { readonly id: string; readonly at: string; readonly [field: string]: unknown }[];
  close(): Promise<void>;
}

/** A source of acknowledged records, as the paying side keeps it. */
export async function startRecord(): Promise<OutsideRecord> {
  const server = createServer((request, response) => {
    const since = Date.parse(new URL(request.url ?? '/', 'http://localhost').searchParams.get('since') ?? '');
    for (const one of record.records) {
      if (Date.parse(one.at) >= since) response.write(`${JSON.stringify(one)}\n`);
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const record: OutsideRecord = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/acknowledged`,
    records: [],
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return record;
}
