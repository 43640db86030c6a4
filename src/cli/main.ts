/** The program `muster`. */
import { readFileSync } from 'node:fs';
import { runCli } from './program.js';

// `muster plan | head` closes the pipe early: that is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

// Compiled, this file lies in dist/src/cli.
const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

process.exitCode = await runCli(process.argv.slice(2), {
  streams: { stdout: process.stdout, stderr: process.stderr },
  stdin: process.stdin,
  env: process.env,
  cwd: process.cwd(),
  version,
});
