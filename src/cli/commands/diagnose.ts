/** `muster diagnose`: what is reachable and sane, and which recovery fits. */
import { loadSystem } from '../../runbook/load.js';
import { exitCodes, type Register } from '../context.js';

export const register: Register = (program, context) => {
  program
    .command('diagnose')
    .description('what of a system is reachable and sane, and which recovery fits; changes nothing')
    .argument('<system>', 'the system, by the name of its runbook')
    .addHelpText(
      'after',
      `
Looks at primary, standbys, every copy of the backups, files, names, applications, vault and anchor, all at once, from this
machine. What cannot be known from it is said.

Exit codes: 0 nothing is wrong, 1 something is and no recovery that can be begun fits, 2 bad input,
3 a recovery is proposed: the commander decides.

Examples:
  muster diagnose payymo
  muster diagnose payymo --json | jq '.proposals[].command'
  muster recover payymo               diagnoses first and asks, on a terminal`,
    )
    .action(async (system: string) => {
      const { diagnose } = await import('../diagnosing.js');
      const { renderDiagnosis } = await import('../render/diagnosis.js');
      const { out } = context;
      const diagnosis = await diagnose(context, await loadSystem((await context.runbooks()).shown, system));
      out.result(diagnosis, (colors) =>
        renderDiagnosis(diagnosis, { width: out.width, color: colors.isColorSupported }),
      );
      const ready = diagnosis.proposals.some(({ standing }) => standing === 'ready');
      context.finishWith(ready ? exitCodes.waits : diagnosis.sound ? exitCodes.done : exitCodes.failed);
    });
};
