/** Node modules, exactly as locked. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { withLock } from '../lock.mjs';
import { nodeModulesCurrent, stampModules } from '../modules.mjs';
import { run } from '../run.mjs';

/**
 * @param {string} root
 * @param {{ log: string, say: (line: string) => void }} effects
 */
export async function installNodeModules(root, { log, say }) {
  await withLock(
    path.join(root, '.muster', 'npm.lock'),
    async () => {
      if (nodeModulesCurrent(root)) return;
      const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=http'];
      await run(...npm(args), { log, onLine: say, cwd: root, env: environment(), timeoutMs: 15 * 60_000 });
      stampModules(root);
    },
    (pid) => say(`waiting for the set-up that runs as process ${pid}`),
  );
}

/**
 * The npm that belongs to this Node: whoever set PATH may have another.
 * @param {string[]} args
 * @returns {[string, string[]]}
 */
function npm(args) {
  const beside = path.join(path.dirname(process.execPath), 'npm');
  return [existsSync(beside) ? beside : 'npm', args];
}

/** Run by npm itself, its settings for the outer script (`npm run demo --json`) must not change what is installed. */
function environment() {
  const kept =
    /^npm_config_(registry|cafile|ca|cache|userconfig|globalconfig|proxy|https_proxy|noproxy|strict_ssl)$/i;
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_config_/i.test(name) || kept.test(name)),
  );
}
