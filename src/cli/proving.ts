/** How commands of decisions prove who gives them: `--key`, `--totp`, MUSTER_KEY, and the question for a code. */
import type { Command } from 'commander';
import type { Decision } from '../model/decision.js';
import type { RunView } from '../model/run.js';
import { demandedProof } from '../people/demanded.js';
import { type GivenMeans, meansFrom, prove } from '../people/prove.js';
import { openingOf, type Said, statementFor } from '../people/statement.js';
import type { Person } from '../runbook/schema.js';
import type { CliContext } from './context.js';

/** Adds `--key`, `--totp`. */
export function addProofOptions(command: Command): Command {
  return command
    .option('--key <file>', 'your private key: Ed25519 in PEM, or of OpenSSH (default: MUSTER_KEY)')
    .option('--totp <code>', 'the 6 digits that your authenticator shows');
}

export interface Proving {
  /** The run as it stands: what is signed fits it alone. */
  readonly view: RunView;
  /** The people of the run's runbook, or of the file; undefined where neither is known: what the options give is used. */
  readonly people: readonly Person[] | undefined;
  readonly given: GivenMeans;
  /** Asks for the code where somebody sits at a terminal. */
  readonly askCode?: () => Promise<string>;
}

/**
 * The decision with what the roster asks of its sender.
 *
 * @throws InputError when something that is asked for is not there; nothing has been sent
 * @throws PermanentError `KeyUnusable`, `ToolMissing`
 */
export async function proven(
  context: Pick<CliContext, 'world'>,
  said: Said,
  { view, people, given, askCode }: Proving,
): Promise<Decision> {
  const { env, cwd } = context.world;
  const person = people?.find(({ name }) => name === said.by);
  const demanded = person && demandedProof(person, secondFactorOf(view, said.on));
  const means = meansFrom(given, env, cwd, askCode);
  // MUSTER_KEY may be set for all day: of whom nothing is known, it is used all the same.
  const proof = await prove((at) => statementFor(view, said, at), means, demanded);
  return { ...said, planHash: view.planHash, ...(proof === undefined ? {} : { proof }) };
}

/** What the open decision asks for beside a signature. */
export function secondFactorOf(view: Pick<RunView, 'runId' | 'planHash' | 'openDecisions'>, on: string) {
  const opening = openingOf(view, on);
  const open = view.openDecisions.find(({ since }) => since === opening);
  return open?.secondFactor === true ? 'totp' : 'none';
}
