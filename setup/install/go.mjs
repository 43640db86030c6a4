/** Parts written in Go: from the vendor's own download where there is one and it answers, else built from the module. */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { makeWhole } from '../lock.mjs';
import { run } from '../run.mjs';

/** Where the Temporal SDK itself gets its development server from. */
const TEMPORAL_DOWNLOADS = 'https://temporal.download/cli';
/** Offline machines must not wait for it. */
const ANSWER_MS = 4_000;
const DOWNLOAD_MS = 180_000;

/**
 * @typedef {object} Effects
 * @property {string} log
 * @property {(line: string) => void} say
 * @property {import('../types.d.ts').Machine} machine
 */

/**
 * @param {import('../types.d.ts').Job} job
 * @param {string} go the Go to build with
 * @param {Effects} effects
 */
export async function installGo(job, go, { log, say, machine }) {
  const { install, target } = job;
  if (install?.kind !== 'go' || target === undefined) throw new Error(`${job.id} is not a Go part.`);
  await makeWhole(target, async (draft) => {
    const bin = path.join(draft, 'bin');
    mkdirSync(bin);
    if (
      install.download === 'temporal' &&
      (await downloadTemporal(install.module, bin, { log, say, machine }))
    ) {
      return;
    }
    say('go install');
    await run(go, ['install', '-v', '-ldflags=-s -w', install.module, ...(install.tools ?? [])], {
      log,
      onLine: say,
      cwd: draft,
      env: buildEnvironment(bin, go, workFolder(go, machine)),
    });
  });
}

/**
 * No C compiler, nothing of the person's own Go settings that changes what is built, and the toolchain a module asks for.
 * @param {string} bin
 * @param {string} go
 * @param {string | null} work folder for all that building leaves behind; null: where the person's own Go keeps it
 */
export function buildEnvironment(bin, go, work, env = process.env) {
  const folders =
    work === null
      ? {}
      : { GOPATH: work, GOMODCACHE: path.join(work, 'mod'), GOCACHE: path.join(work, 'cache') };
  return {
    ...env,
    PATH: `${path.dirname(go)}${path.delimiter}${env.PATH ?? ''}`,
    GOBIN: bin,
    GOFLAGS: '-modcacherw',
    GOWORK: 'off',
    GO111MODULE: 'on',
    GOOS: '',
    GOARCH: '',
    GOTOOLCHAIN: 'auto',
    CGO_ENABLED: '0',
    ...folders,
  };
}

/** @param {import('../types.d.ts').Machine} machine */
function buildFiles(machine) {
  return path.join(machine.cacheDir, 'go-build');
}

/**
 * Whoever has no Go of their own has no use for gigabytes of its build files either.
 * @param {string} go
 * @param {import('../types.d.ts').Machine} machine
 */
function workFolder(go, machine) {
  return go.startsWith(machine.cacheDir + path.sep) ? buildFiles(machine) : null;
}

/** @param {import('../types.d.ts').Machine} machine */
export function removeBuildFiles(machine) {
  rmSync(buildFiles(machine), { recursive: true, force: true });
}

/**
 * @param {string} module with its version
 * @param {string} bin
 * @param {Effects} effects
 * @param {string} [base]
 * @returns {Promise<boolean>} false where it cannot be had this way
 */
export async function downloadTemporal(module, bin, { log, say, machine }, base = TEMPORAL_DOWNLOADS) {
  const arch = { x64: 'amd64', arm64: 'arm64' }[machine.arch];
  if (arch === undefined || machine.env.MUSTER_NO_DOWNLOAD === '1') return false;
  const version = module.slice(module.indexOf('@') + 1);
  try {
    const answer = await fetch(`${base}/${version}?platform=${machine.platform}&arch=${arch}&format=tar.gz`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    const { archiveUrl, fileToExtract } = /** @type {{ archiveUrl?: unknown, fileToExtract?: unknown }} */ (
      await answer.json()
    );
    if (typeof archiveUrl !== 'string' || fileToExtract !== 'temporal') throw new Error('gave no archive');
    say(`downloading ${archiveUrl}`);
    const archive = await fetch(archiveUrl, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
    if (!archive.ok) throw new Error(`${archiveUrl} answered ${archive.status}`);
    const file = path.join(bin, 'temporal.tar.gz');
    writeFileSync(file, Buffer.from(await archive.arrayBuffer()));
    await run('tar', ['-xzf', file, '-C', bin, 'temporal'], { log, timeoutMs: 60_000 });
    await run('rm', [file], { log, timeoutMs: 10_000 });
    const program = path.join(bin, 'temporal');
    const told = await run(program, ['--version'], { log, timeoutMs: 20_000 });
    if (!told.includes(version.replace(/^v/, ''))) throw new Error(`brought another version: ${told.trim()}`);
    return true;
  } catch (error) {
    for (const file of readdirSync(bin)) rmSync(path.join(bin, file), { recursive: true, force: true });
    const reason =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : '';
    say(`no download (${reason}), building it`);
    return false;
  }
}
