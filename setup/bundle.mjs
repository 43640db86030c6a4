/** node setup/bundle.mjs ENTRY OUT: the workflows and all they import in one file, as the worker loads them. */

import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { bundleWorkflowCode } from '@temporalio/worker';

const [entry, out] = process.argv.slice(2);
if (entry === undefined || out === undefined) throw new Error('usage: node setup/bundle.mjs ENTRY OUT');

/** Only problems are of interest. */
const logger = {
  log: () => {},
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: (/** @type {string} */ message) => process.stderr.write(`${message}\n`),
  error: (/** @type {string} */ message) => process.stderr.write(`${message}\n`),
};

try {
  const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger });
  writeFileSync(out, code);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
