/** The lab by hand, without the rest of Muster: `node dist/lab/cli.js up [transactions [bytes]] | status | down | break`. */
import { labBreak, labDown, labStatus, labUp } from './commands.js';
import { renderBreak, renderDown, renderStatus, renderUp } from './render.js';

const [command = 'status', transactions = '300000', sizeBytes = '0'] = process.argv.slice(2);
const log = (line: string) => process.stderr.write(`${line}\n`);
const commands: Record<string, () => Promise<string>> = {
  up: async () =>
    renderUp(
      await labUp({ log, size: { transactions: Number(transactions), sizeBytes: Number(sizeBytes) } }),
    ),
  status: async () => renderStatus(await labStatus()),
  down: async () => renderDown(await labDown({ log })),
  break: async () => renderBreak('corruption', await labBreak('corruption')),
};
const chosen = commands[command];
if (!chosen) throw new Error(`lab knows ${Object.keys(commands).join(', ')}, not ${command}`);
process.stdout.write(`${await chosen()}\n`);
