/** node setup/bundle.mjs ENTRY OUT: the workflows and all they import in one file, as the worker loads them. */

import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
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

/** What fails inside a workflow, too, leaves it in a form that can be encrypted. */
const failureConverterPath = path.resolve(path.dirname(entry), '../src/temporal/codec-failures.cjs');

/** Keeps a run replayable that was asked while it waited for a worker. */
const guard = path.join(path.dirname(path.resolve(entry)), 'asked-too-early.js');

try {
  const { code } = await bundleWorkflowCode({
    workflowsPath: entry,
    workflowInterceptorModules: existsSync(guard) ? [guard] : [],
    logger,
    ...(existsSync(failureConverterPath) ? { failureConverterPath } : {}),
  });
  writeFileSync(out, code);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
