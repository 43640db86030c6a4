/** Deciding at a terminal: what is possible now, with its consequences, is chosen from, completed, confirmed and sent. */
import { type DecisionChoice, WHOLE_RUN } from '../model/decision.js';
import type { OpenDecision, RunView } from '../model/run.js';
import type { Said } from '../people/statement.js';
import type { Person } from '../runbook/schema.js';
import { type RosterOfRun, rosterOf } from '../temporal/roster.js';
import type { CliContext } from './context.js';
import { send } from './deciding.js';
import { valueOfChange } from './decision-options.js';
import type { Pick, Prompts } from './prompts.js';
import { reportError } from './render/error.js';
import { plain } from './render/line.js';
import type { Prover, Situation } from './sender.js';
import { confirmSerious } from './warning.js';

/** Nobody may do these without saying why: the run refuses it. */
const needsReason: readonly DecisionChoice[] = ['deny', 'override', 'skip', 'hold', 'abort'];
const ofCommander: readonly DecisionChoice[] = ['resume', 'hand-over', 'abort', 'retry', 'skip'];

export interface Possible {
  readonly on: string;
  readonly choice: DecisionChoice;
  readonly consequence: string;
  readonly open?: OpenDecision;
}

/** All that can be decided now, what waits first. */
export function possibleNow(view: RunView): Possible[] {
  return [
    ...view.openDecisions.flatMap((open) =>
      open.choices
        .filter(({ choice }) => choice !== 'abort')
        .map((choice) => ({ ...choice, on: open.gate ?? open.step, open })),
    ),
    ...view.steering.map((choice) => ({ ...choice, on: WHOLE_RUN })),
  ];
}

/**
 * One decision, from the choice to the answer. What was refused or not confirmed is said.
 *
 * @param by who decides, where that is known already
 * @param prover with what they prove it
 * @returns false when the person decides nothing now
 * @throws LeftError when the person leaves
 */
export async function decideOnce(
  context: CliContext,
  prompts: Prompts,
  situation: Situation & { readonly view: RunView },
  by: string | undefined,
  prover: Prover,
): Promise<boolean> {
  const { session, run, view } = situation;
  const possible = await prompts.pick<Possible | undefined>('What do you decide?', [
    ...possibleNow(view).map(asPick),
    { value: undefined, name: 'nothing now', description: 'leaves the run as it is; it goes on' },
  ]);
  if (possible === undefined) return false;
  const roster = await rosterOf(session, run);
  try {
    const word = await completed(prompts, possible, view, roster, by);
    await confirmSerious(context, situation, word, true);
    const { text } = await send(context, situation, word, prover);
    context.out.line(text);
  } catch (error) {
    if (error instanceof Error && error.name === 'LeftError') throw error;
    const { message, why, next } = reportError(error, false);
    // The commands are not repeated: the choice comes again.
    const hint = next.startsWith('Possible now') ? undefined : next;
    context.out.line([message, why, hint].filter((part) => part !== undefined).join(' '));
  }
  context.out.line();
  return true;
}

function asPick(possible: Possible): Pick<Possible> {
  const { on, choice, consequence, open } = possible;
  const name = open === undefined ? choice : `${choice} ${plain(on)}`;
  return { value: possible, name, description: plain(consequence) };
}

async function completed(
  prompts: Prompts,
  { on, choice, open }: Possible,
  view: RunView,
  roster: RosterOfRun | undefined,
  by: string | undefined,
): Promise<Said> {
  const change = choice === 'approve' || choice === 'retry' ? await askChange(prompts, open) : undefined;
  const person = by ?? (await askPerson(prompts, 'Who decides?', candidates(view, choice, open, roster)));
  const others = (roster?.people ?? []).filter(({ name }) => name !== view.commander);
  const to =
    choice === 'hand-over' ? await askPerson(prompts, 'Who commands from now on?', others) : undefined;
  const reason = needsReason.includes(choice)
    ? await prompts.ask('Why?', (answer) => (answer === '' ? 'It is read by everybody later.' : undefined))
    : await prompts.ask('Why? (may be left empty)');
  return {
    on,
    choice,
    by: person,
    ...(reason === '' ? {} : { reason }),
    ...(change === undefined ? {} : { change }),
    ...(to === undefined ? {} : { to }),
  };
}

async function askChange(
  prompts: Prompts,
  open: OpenDecision | undefined,
): Promise<Record<string, string> | undefined> {
  const changes = Object.entries(open?.changes ?? {});
  if (changes.length === 0) return undefined;
  const name = await prompts.pick<string | undefined>('With what is shown?', [
    { value: undefined, name: 'yes, as it is' },
    ...changes.map(([input, allowed]) => ({
      value: input,
      name: `with another ${plain(input)}`,
      description: `${plain(allowed)}. What was built on what is shown is done again, and asked again`,
    })),
  ]);
  if (name === undefined) return undefined;
  const parsed = (answer: string) => valueOfChange(name, answer, name, Date.now());
  const answer = await prompts.ask(`Which ${plain(name)}?`, (given) => {
    try {
      return parsed(given) === '' ? `Needed: ${open?.changes[name] ?? 'a value'}.` : undefined;
    } catch (error) {
      return (
        reportError(error, false).problems?.map(({ allowed }) => `Allowed: ${allowed}`)[0] ?? String(error)
      );
    }
  });
  return { [name]: parsed(answer) };
}

async function askPerson(prompts: Prompts, message: string, people: readonly Person[]): Promise<string> {
  if (people.length === 0) {
    return prompts.ask(`${message} A name on the roster:`, (name) => (name === '' ? 'A name.' : undefined));
  }
  const picks = people.map(
    ({ name, roles }): Pick<string> => ({ value: name, name: `${plain(name)} (${plain(roles.join(', '))})` }),
  );
  return prompts.pick(message, picks);
}

/** The whole roster, those first whose word counts here. */
function candidates(
  view: RunView,
  choice: DecisionChoice,
  open: OpenDecision | undefined,
  roster: RosterOfRun | undefined,
): readonly Person[] {
  const hasOne = (person: Person, roles: readonly string[]) =>
    roles.some((role) => person.roles.includes(role));
  const counts = (person: Person) => {
    if (choice === 'override') return hasOne(person, roster?.breakGlass?.roles ?? []);
    if (ofCommander.includes(choice)) return person.name === view.commander;
    return open === undefined ? person.name === view.commander : hasOne(person, open.roles);
  };
  const people = roster?.people ?? [];
  return [...people.filter(counts), ...people.filter((person) => !counts(person))];
}
