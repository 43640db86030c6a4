#!/usr/bin/env node
/** The command line. In a clone that was not built yet, or not since its sources changed, it is built first. */

import { existsSync } from 'node:fs';
import process from 'node:process';

const setup = new URL('../setup/build.mjs', import.meta.url);
if (existsSync(setup)) {
  const { buildIfStale } = await import(setup.href);
  const { runScript } = await import(new URL('../setup/setup.mjs', import.meta.url).href);
  await runScript(() => buildIfStale());
}
if (process.exitCode === undefined) {
  process.setSourceMapsEnabled(true);
  await import(new URL('../dist/src/cli/main.js', import.meta.url).href);
}
