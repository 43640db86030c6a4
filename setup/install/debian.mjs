/** System packages of Debian and its relatives, as root or by sudo. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { CommandFailed, run } from '../run.mjs';

const LOCK_WAIT_S = 600;
/** What apt says when some of the packages cannot be had; without a network it is all of them. */
const ONE_IS_TO_BLAME = /Unable to locate|no installation candidate|unmet dependencies|broken packages|404 /;
const CREATE_CLUSTER = '/etc/postgresql-common/createcluster.conf';
const CREATE_CLUSTER_TEXT = `# Written by Muster's set-up before PostgreSQL was installed: it brings its own clusters and wants none made by
# the package. Remove the line to get a cluster "main" with the next server package.
create_main_cluster = false
`;

/**
 * All packages in one call; where that fails, each by itself, so that one that cannot be had does not take the others along.
 * @param {import('../types.d.ts').Job} job
 * @param {import('./go.mjs').Effects} effects
 * @throws CommandFailed for the first package that could not be installed, when all others are there
 */
export async function installDebian(job, { log, say, machine }) {
  const packages = job.packages ?? [];
  const prefix = job.prefix ?? [];
  /** @param {readonly string[]} args */
  const apt = (...args) => {
    const [file, ...rest] = [
      ...prefix,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'UCF_FORCE_CONFFOLD=1',
      'apt-get',
      `-oDPkg::Lock::Timeout=${LOCK_WAIT_S}`,
      '-oDpkg::Options::=--force-confold',
      '-oDpkg::Use-Pty=0',
      ...args,
    ];
    return run(/** @type {string} */ (file), rest, { log, onLine: say, env: { ...machine.env } });
  };
  /** @param {readonly string[]} names */
  const install = (names) => apt('install', '-y', '--no-install-recommends', ...names);

  if (packages.some((name) => /^postgresql-\d+$/.test(name))) await noMainCluster(prefix, log);
  // Old lists name packages that the mirror does not have any more. Without a network, what apt has kept may do.
  await apt('update').catch(() => say('the package lists could not be fetched'));
  try {
    await install(packages);
    return;
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    if (error.tail.includes('dpkg --configure -a')) {
      const [file, ...rest] = [...prefix, 'dpkg', '--configure', '-a'];
      await run(/** @type {string} */ (file), rest, { log, onLine: say });
    } else if (packages.length === 1 || !ONE_IS_TO_BLAME.test(error.tail)) throw error;
  }
  /** @type {unknown} */
  let first = null;
  for (const name of packages) {
    try {
      await install([name]);
    } catch (error) {
      first ??= error;
    }
  }
  if (first !== null) throw first;
}

/**
 * The server package would make and start a cluster of its own.
 * @param {readonly string[]} prefix
 * @param {string} log
 */
async function noMainCluster(prefix, log) {
  if (existsSync(CREATE_CLUSTER)) return;
  if (prefix.length === 0) {
    mkdirSync(path.dirname(CREATE_CLUSTER), { recursive: true });
    writeFileSync(CREATE_CLUSTER, CREATE_CLUSTER_TEXT);
    return;
  }
  const [file, ...rest] = [
    ...prefix,
    'sh',
    '-c',
    'mkdir -p "$(dirname "$1")" && printf %s "$2" > "$1"',
    'sh',
    CREATE_CLUSTER,
    CREATE_CLUSTER_TEXT,
  ];
  await run(/** @type {string} */ (file), rest, { log });
}

/**
 * @param {import('../types.d.ts').Job} job
 * @param {import('./go.mjs').Effects} effects
 */
export async function createAccount(job, { log }) {
  const [file, ...args] = job.command.split(' ');
  await run(/** @type {string} */ (file), args, { log, env: { ...process.env }, timeoutMs: 30_000 });
}
