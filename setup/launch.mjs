/** Runs a built program in this process, as if Node had been started with it: signals, streams and exit code are its own. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { ROOT } from './machine.mjs';
import { pathWithParts } from './path.mjs';
import { runScript, setUp } from './setup.mjs';

/**
 * @param {string} file below dist
 * @param {readonly string[]} args
 */
export async function launch(file, args) {
  await runScript(async () => {
    const { parts } = await setUp();
    process.env.PATH = pathWithParts(parts, process.env.PATH ?? '');
    await build();
  });
  if (process.exitCode !== undefined) return;
  const program = path.join(ROOT, 'dist', file);
  if (!existsSync(program)) throw new Error(`${program} was not built.`);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
  process.argv = [process.execPath, program, ...args];
  // Of interest to whoever maintains Muster, not to whoever recovers with it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(program).href);
}
