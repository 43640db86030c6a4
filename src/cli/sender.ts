/** Who sends a decision, with what proof, and from where: the run writes it down. */
import { networkInterfaces } from 'node:os';
import type { Decision, Origin } from '../model/decision.js';
import type { RunView } from '../model/run.js';
import type { GivenMeans } from '../people/prove.js';
import type { Said } from '../people/statement.js';
import type { TemporalSession } from '../temporal/connection.js';
import { rosterOf } from '../temporal/roster.js';
import type { RunHandle } from '../temporal/runs.js';
import type { CliContext, CliWorld } from './context.js';
import { Prompts } from './prompts.js';
import { proven } from './proving.js';

/** A run as it was looked at before something is decided. */
export interface Situation {
  readonly session: TemporalSession;
  readonly run: RunHandle;
  /** Absent when the run did not answer. */
  readonly view: RunView | undefined;
}

/** Makes a decision of what somebody says: with what the roster asks of them. */
export type Prover = (situation: Situation & { readonly view: RunView }, said: Said) => Promise<Decision>;

/** Proves with a key and a code as they were given; at a terminal the code is asked for. */
export function proverFrom(context: CliContext, given: GivenMeans): Prover {
  return async ({ session, run, view }, said) => {
    const roster = await rosterOf(session, run);
    const { person } = context;
    const asking =
      person === undefined
        ? {}
        : { askCode: () => new Prompts(person).ask(`The code that the authenticator of ${said.by} shows:`) };
    return proven(context, said, { view, people: roster?.people, given, ...asking });
  };
}

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
