/** Who sends a decision, and from where: the run writes it down. */
import { networkInterfaces } from 'node:os';
import type { Origin } from '../model/decision.js';
import type { CliWorld } from './context.js';

/** The address of whoever sits at the other end of an SSH session; else the first one of this machine. */
export function originOf({ env, version }: Pick<CliWorld, 'env' | 'version'>): Origin {
  const [client] = (env.SSH_CONNECTION ?? '').split(' ');
  const address = client || localAddress();
  return {
    agent: `muster ${version} on ${process.platform}`,
    ...(address === undefined ? {} : { address }),
  };
}

function localAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const outside = all.filter(({ internal }) => !internal);
  return (outside.find(({ family }) => family === 'IPv4') ?? outside[0] ?? all[0])?.address;
}
