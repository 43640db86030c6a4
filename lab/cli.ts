import { defaultLabDir } from './layout.js';
import { downLab, statusLab, upLab } from './world.js';

const [command = 'status', ...rest] = process.argv.slice(2);
const dir = defaultLabDir();
const log = (line: string) => process.stderr.write(`${line}\n`);
if (command === 'up')
  console.log(
    JSON.stringify(
      await upLab({
        dir,
        size: { transactions: Number(rest[0] ?? 300_000), sizeBytes: Number(rest[1] ?? 0) },
        log,
      }),
      null,
      1,
    ),
  );
else if (command === 'down') await downLab(dir, { log });
else console.log(await statusLab(dir));
