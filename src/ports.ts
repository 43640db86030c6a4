import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { RefusedError } from './errors.js';

/** Below the range the kernel takes for outgoing connections, so that a port stays free while its server restarts. */
const LOWEST = 20_000;
const HIGHEST = 31_999;

/** What a port is needed for: TCP on every address given, and UDP too where asked. */
export interface PortNeed {
  readonly addresses: readonly string[];
  readonly udp?: 'udp';
}

/** Finds one free port for each need, all different. The choice is random, so that labs started together differ. */
export async function freePorts<K extends string>(
  needs: Readonly<Record<K, PortNeed>>,
): Promise<Record<K, number>> {
  const taken = new Set<number>();
  const found: Partial<Record<K, number>> = {};
  for (const [name, need] of Object.entries(needs) as [K, PortNeed][]) {
    found[name] = await freePort(need, taken);
    taken.add(found[name]);
  }
  return found as Record<K, number>;
}

async function freePort(need: PortNeed, taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if (taken.has(port)) continue;
    const checks = need.addresses.flatMap((address) => [
      canListen(address, port),
      ...(need.udp ? [canBind(address, port)] : []),
    ]);
    if ((await Promise.all(checks)).every(Boolean)) return port;
  }
  throw new RefusedError(
    'NoFreePort',
    `No free port between ${LOWEST} and ${HIGHEST} on ${need.addresses.join(' and ')}.`,
    {
      next: 'See that these addresses can be used on the loopback interface (on Linux all of 127.0.0.0/8 can).',
    },
  );
}

/** Whether a TCP server could listen there now. */
export function canListen(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function canBind(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, address, () => socket.close(() => resolve(true)));
  });
}

/** The port in `host:port` or in a URL. */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
