/** `muster recover <system>`: nobody has said what has happened. What is seen is shown, and the commander decides. */
import { InputError } from '../errors.js';
import { loadSystem } from '../runbook/load.js';
import type { CliContext } from './context.js';
import { diagnose, type Proposal } from './diagnosing.js';
import { scenariosOf } from './planning.js';
import { LeftError, Prompts } from './prompts.js';
import { type RecoverOptions, recover } from './recovering.js';
import { renderDiagnosis } from './render/diagnosis.js';

/**
 * @throws InputError where nobody sits at a terminal, or the name is a scenario's: nothing is guessed
 */
export async function recoverBySymptoms(
  context: CliContext,
  system: string,
  options: RecoverOptions,
): Promise<void> {
  const { scenarios } = await import('../../workflows/scenarios.js');
  if (Object.hasOwn(scenarios, system)) throw systemMissing(system);
  const loaded = await loadSystem((await context.runbooks()).dir, system);
  const { person, out } = context;
  if (person === undefined) throw scenarioMissing(system, await scenariosOf(loaded));
  out.note(`Nobody has said what has happened to ${system}: looking, which changes nothing.`);
  const diagnosis = await diagnose(context, loaded);
  out.line(renderDiagnosis(diagnosis, { width: out.width, color: out.colors.isColorSupported }));
  const prompts = new Prompts(person);
  try {
    const scenario = await prompts.pick('Which recovery?', [
      ...diagnosis.proposals.filter(({ standing }) => standing === 'ready').map(asPick),
      ...others(await scenariosOf(loaded), diagnosis.proposals),
      { value: undefined, name: 'none', description: 'nothing is begun' },
    ]);
    if (scenario === undefined) return out.note('Nothing was begun.');
    const proposed = diagnosis.proposals.find((one) => one.scenario === scenario);
    const before = options.before ?? (await askBefore(prompts, scenario, proposed));
    await recover(context, scenario, system, {
      ...options,
      ...(before === undefined ? {} : { before }),
      ...(options.detectedAt === undefined ? { detectedAt: diagnosis.at } : {}),
    });
  } catch (error) {
    if (!(error instanceof LeftError)) throw error;
    out.note('Nothing was begun.');
  }
}

const LOST = 'lost';

/** Without a moment a lost file would be taken for a lost bucket: that is said, never left out. */
async function askBefore(
  prompts: Prompts,
  scenario: string,
  proposed: Proposal | undefined,
): Promise<string | undefined> {
  const bucketIsGone = proposed !== undefined && proposed.needs === undefined;
  if (scenario !== 'objectLoss' || bucketIsGone) return undefined;
  const answer = await prompts.ask(
    `Until when were the files as they should be? (a time such as 02:59, or "10 min ago"; ${LOST}: the bucket itself is)`,
    (typed) => (typed === '' ? `a time, or ${LOST}` : undefined),
  );
  return answer === LOST ? undefined : answer;
}

function asPick({ scenario, certainty, because }: Proposal) {
  return { value: scenario as string | undefined, name: `${scenario} (${certainty})`, description: because };
}

/** What was not proposed may be right all the same: people know more than can be seen. */
function others(ready: readonly string[], proposals: readonly Proposal[]) {
  return ready
    .filter((name) => !proposals.some(({ scenario }) => scenario === name))
    .map((name) => ({
      value: name as string | undefined,
      name,
      description: 'nothing that was seen speaks for it',
    }));
}

function systemMissing(scenario: string): InputError {
  return new InputError(`It is not said which system is to be recovered with ${scenario}.`, [
    { field: '<system>', given: 'nothing', allowed: 'the system, by the name of its runbook; or --all' },
  ]);
}

function scenarioMissing(system: string, scenarios: readonly string[]): InputError {
  return new InputError(
    `It is not said what has happened to ${system}.`,
    [{ field: '<scenario>', given: 'nothing', allowed: `its scenarios: ${scenarios.join(', ')}` }],
    { next: `See what fits with muster diagnose ${system}, then name the scenario.` },
  );
}
