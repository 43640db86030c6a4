/** The options that commands of decisions share: each command adds what it needs, and stays a few lines. */
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import type { GivenMeans } from '../people/prove.js';
import { parseMoment } from './moment.js';
import { addProofOptions } from './proving.js';

export interface DecisionOptions extends GivenMeans {
  readonly by?: string;
  readonly reason?: string;
  readonly mode?: string;
}

export interface ChangeOptions {
  readonly point?: string;
  readonly target?: string;
  readonly change?: readonly string[];
}

/** What a decision needs besides its choice. */
export interface Wanted {
  /** Says what the reason tells; `required` where nobody may do it without one. */
  readonly reason: string;
  readonly reasonRequired?: true;
}

/** Adds `--by`, `--reason`, `--mode`, and those of proofs. */
export function addDecisionOptions(command: Command, { reason, reasonRequired }: Wanted): Command {
  command.option('--by <name>', "who decides: a name from the runbook's people (default: MUSTER_BY)");
  if (reasonRequired) command.requiredOption('--reason <why>', reason);
  else command.option('--reason <why>', reason);
  command.option('--mode <mode>', 'real or drill (default: the real run where both are active)');
  return addProofOptions(command);
}

/** Adds `--point`, `--target`, `--change`. */
export function addChangeOptions(command: Command): Command {
  return command
    .option('--point <time>', 'another recovery point, where that can be changed: the restore moves there')
    .option('--target <site>', 'another site to recover at, where that can be changed')
    .option('--change <name=value>', 'another value of any input that can be changed here', collect);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/**
 * The input that is replaced, as the run takes it.
 *
 * @param now milliseconds since 1970, for times of day and "10 min ago"
 * @throws InputError when a value is malformed, or more than one input is named
 */
export function changeFrom(
  { point, target, change = [] }: ChangeOptions,
  now: number,
): { readonly change: Readonly<Record<string, string>> } | undefined {
  const named = change.map((each) => namedChange(each, now));
  const given = [
    ...(point === undefined ? [] : [{ point: parseMoment(point, '--point', now) }]),
    ...(target === undefined ? [] : [{ target: target.trim() }]),
    ...named,
  ];
  const [only, second] = given;
  if (only === undefined) return undefined;
  if (second === undefined) return { change: only };
  throw new InputError('One input is changed at a time; nothing was sent.', [
    {
      field: '--change',
      given: given.flatMap(Object.keys).join(', '),
      allowed: 'one of --point, --target and --change',
    },
  ]);
}

function namedChange(given: string, now: number): Record<string, string> {
  const [, name = '', value = ''] = /^([a-z][a-zA-Z0-9-]*)=(.+)$/s.exec(given) ?? [];
  if (name !== '') return { [name]: valueOfChange(name, value, '--change', now) };
  throw new InputError('It is not said what is changed; nothing was sent.', [
    { field: '--change', given, allowed: 'name=value, such as target=east' },
  ]);
}

/** Points are moments, wherever they are typed. @throws InputError for a moment that is none */
export function valueOfChange(name: string, value: string, field: string, now: number): string {
  return name === 'point' ? parseMoment(value, field, now) : value.trim();
}
