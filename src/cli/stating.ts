/** The statement of a decision at a run as it stands, for whoever signs and sends it without Muster. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InputError, messageOf, RefusedError } from '../errors.js';
import { type DecisionChoice, decisionChoices, WHOLE_RUN } from '../model/decision.js';
import type { RunView } from '../model/run.js';
import { type DemandedProof, demandedProof } from '../people/demanded.js';
import { openingOf, type Said, statementFor } from '../people/statement.js';
import { loadSystem } from '../runbook/load.js';
import { lookAt } from '../temporal/observe.js';
import type { CliContext } from './context.js';
import { secondFactorOf } from './proving.js';
import { renderStatement } from './render/statement.js';
import { chooseRun, parseMode, parsePerson, withTemporal } from './sessions.js';

export interface StatementOptions {
  readonly by?: string;
  readonly reason?: string;
  readonly change?: readonly string[];
  readonly to?: string;
  readonly mode?: string;
  readonly file?: string;
}

/**
 * @throws InputError for what cannot be decided; RefusedError `NoSuchRun`, `RunSilent`
 */
export async function showStatement(
  context: CliContext,
  what: { readonly system: string; readonly choice: string; readonly on: string | undefined },
  options: StatementOptions,
): Promise<void> {
  const said: Said = {
    on: what.on ?? WHOLE_RUN,
    choice: choiceFrom(what.choice),
    by: parsePerson(context, options.by),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
    ...(options.change === undefined ? {} : { change: changeFrom(options.change) }),
    ...(options.to === undefined ? {} : { to: options.to }),
  };
  const mode = parseMode(options.mode);
  const { view, workflowId } = await withTemporal(context, async (session) => {
    const run = await chooseRun(session, what.system, mode);
    return { ...(await lookAt(session, run)), workflowId: run.workflowId };
  });
  if (view === undefined) {
    throw new RefusedError(
      'RunSilent',
      `The run of ${what.system} does not answer; there is nothing to sign yet.`,
      {
        next: 'See whether a worker runs (muster status), then run the command again.',
      },
    );
  }
  requireOpen(view, said.on);
  const at = new Date().toISOString();
  const statement = statementFor(view, said, at);
  const demanded = await demandedOf(context, view, said);
  const proof = {
    at,
    ...(demanded?.signature === false ? {} : { signature: 'THE SIGNATURE' }),
    ...(demanded?.code === true ? { totp: 'THE CODE' } : {}),
  };
  const decision = { ...said, planHash: view.planHash, proof };
  const file =
    options.file === undefined ? undefined : await save(resolve(context.world.cwd, options.file), statement);
  const shown = {
    system: view.system,
    runId: view.runId,
    workflowId,
    statement,
    decision,
    file: file ?? null,
  };
  context.out.result(shown, (colors) => renderStatement({ ...shown, demanded }, colors));
}

function choiceFrom(given: string): DecisionChoice {
  const choice = decisionChoices.find((each) => each === given);
  if (choice !== undefined) return choice;
  throw new InputError('That cannot be decided.', [
    { field: '<choice>', given, allowed: decisionChoices.join(', ') },
  ]);
}

function changeFrom(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((each) => {
      const [, name = '', value = ''] = /^([^=]+)=(.+)$/s.exec(each) ?? [];
      if (name !== '') return [name, value];
      throw new InputError('It is not said what is changed.', [
        { field: '--change', given: each, allowed: 'name=value, such as target=east' },
      ]);
    }),
  );
}

/** What is not open cannot be signed for: the text would fit nothing. */
function requireOpen(view: RunView, on: string): void {
  if (on === WHOLE_RUN || openingOf(view, on) !== '') return;
  const open = view.openDecisions.map(({ gate, step }) => gate ?? step);
  throw new InputError('Nothing waits for a decision under that name.', [
    { field: '[on]', given: on, allowed: [...open, 'nothing, for the whole run'].join(', ') },
  ]);
}

/** What the runbook here asks of the person; undefined where it does not say. */
async function demandedOf(
  context: CliContext,
  view: RunView,
  said: Said,
): Promise<DemandedProof | undefined> {
  const loaded = await context
    .runbooks()
    .then(({ dir }) => loadSystem(dir, view.system))
    .catch(() => undefined);
  const person = loaded?.runbook.people.find(({ name }) => name === said.by);
  return person && demandedProof(person, secondFactorOf(view, said.on));
}

/** Without a line break at the end: the text as it is signed. */
async function save(file: string, statement: string): Promise<string> {
  try {
    await writeFile(file, statement);
  } catch (error) {
    throw new InputError('The text cannot be written there.', [
      { field: '--file', given: file, allowed: `a file that can be written (${messageOf(error)})` },
    ]);
  }
  return file;
}
