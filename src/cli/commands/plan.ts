/** `muster plan`: what a recovery would do, before anything runs. */
import { loadSystem } from '../../runbook/load.js';
import { exitCodes, type Register } from '../context.js';
import { cannotHold, type PlannedScenario, planScenario } from '../planning.js';
import { reportError } from '../render/error.js';
import { renderPlan } from '../render/plan.js';
import { renderPlanMarkdown } from '../render/plan-markdown.js';

export const register: Register = (program, context) => {
  program
    .command('plan')
    .description('what a recovery would do: steps, gates, budgets, critical path against RTO')
    .argument('<scenario>', 'a kind of disaster, such as corruption')
    .argument('<system>', 'a system, as its runbook is named')
    .option('--markdown', 'a runbook to print and follow by hand, with the commands')
    .addHelpText(
      'after',
      `
Nothing is started and nothing is contacted. Budgets that cannot hold an RTO
are an error: exit code 2.

Examples:
  muster plan corruption payymo
  muster plan corruption payymo --markdown > payymo-corruption.md
  muster plan corruption payymo --json | jq .criticalPath.steps`,
    )
    .action(async (scenario: string, system: string, options: { markdown?: boolean }) => {
      const { out } = context;
      const loaded = await loadSystem((await context.runbooks()).shown, system);
      const planned = await planScenario(loaded, scenario);
      const failure =
        planned.problems.length === 0 ? undefined : cannotHold(loaded, scenario, planned.problems);
      out.result({ ...asJson(planned), ...(failure && { error: reportError(failure, false) }) }, (colors) =>
        options.markdown === true
          ? renderPlanMarkdown({ ...planned, runbook: loaded.runbook })
          : renderPlan(planned, colors, out.width),
      );
      if (failure === undefined) return;
      if (!out.json) out.error(failure);
      context.finishWith(exitCodes.badInput);
    });
};

function asJson({ document, hash, verdict }: PlannedScenario) {
  return {
    plan: document,
    planHash: hash,
    criticalPath: verdict.path,
    withGatesUntilExpiryMs: verdict.slowestMs,
    components: verdict.components.map(({ path, ...rest }) => ({
      ...rest,
      path: path.map(({ name }) => name),
    })),
  };
}
