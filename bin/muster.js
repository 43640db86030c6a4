#!/usr/bin/env node
/** The command line. In a clone that was not built yet, or not since its sources changed, it is built first. */

import process from 'node:process';
import { buildIfStale } from '../setup/build.mjs';
import { describeMachine, manifestPath } from '../setup/machine.mjs';
import { readManifest } from '../setup/manifest.mjs';
import { pathWithParts } from '../setup/path.mjs';
import { runScript } from '../setup/setup.mjs';

await runScript(() => buildIfStale());
if (process.exitCode === undefined) {
  const { parts } = readManifest(manifestPath(process.env, describeMachine().cacheDir));
  process.env.PATH = pathWithParts(parts, process.env.PATH ?? '');
  // Of interest to whoever maintains Muster, not to whoever recovers with it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  process.setSourceMapsEnabled(true);
  await import(new URL('../dist/src/cli/main.js', import.meta.url).href);
}
