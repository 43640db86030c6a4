/** `muster schema`: the runbook format for editors. */
import type { Register } from '../context.js';

export const register: Register = (program, context) => {
  program
    .command('schema')
    .description('print the JSON Schema of the runbook format, for editors')
    .addHelpText(
      'after',
      `
Examples:
  muster schema > runbooks/runbook.schema.json
  # and as the first line of a runbook, so that the editor completes it:
  # yaml-language-server: $schema=./runbook.schema.json`,
    )
    .action(async () => {
      const { runbookJsonSchemaText } = await import('../../runbook/json-schema.js');
      context.world.streams.stdout.write(runbookJsonSchemaText());
    });
};
