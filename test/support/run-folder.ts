/**
 * What test files of one run share: servers that are slow to start. The first file that asks starts the server, the others
 * wait for its description; all of them are ended when the run ends.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SharedServer {
  /** Ended when the run ends; its whole process group when it leads one. */
  readonly pids: readonly number[];
}

const WAIT_MS = 60_000;

/**
 * @param name of the server; one of each a test run
 * @param start called in one file only; what it returns is handed to all
 */
export async function shared<T extends SharedServer>(
  name: string,
  start: (folder: string) => Promise<T>,
): Promise<T> {
  const run = process.env.MUSTER_TEST_RUN;
  if (run === undefined) throw new Error('shared() needs the run folder that global-setup.mjs makes');
  const file = join(run, `${name}.json`);
  const folder = join(run, name);
  if (tryClaim(folder)) {
    try {
      const description = await start(folder);
      writeFileSync(`${file}.new`, JSON.stringify(description));
      renameSync(`${file}.new`, file);
      return description;
    } catch (error) {
      writeFileSync(`${file}.failed`, String(error));
      throw error;
    }
  }
  const deadline = Date.now() + WAIT_MS;
  while (!existsSync(file)) {
    if (existsSync(`${file}.failed`)) throw new Error(readFileSync(`${file}.failed`, 'utf8'));
    if (Date.now() > deadline) throw new Error(`the shared server ${name} did not come up`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

function tryClaim(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
