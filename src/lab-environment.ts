/**
 * The lab that is up on this machine, as commands see it: a file that the lab writes. They work with it as with any other
 * site, and know nothing else of it.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

export interface LocalLab {
  /** Variables that lead to its Temporal, store, home, runbooks and keys. Holds references, never secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Temporal's web interface. */
  readonly temporalUi: string;
}

/** The lab's folder: MUSTER_LAB, else `/var/lib/muster/lab` for root and the user's state folder for others. */
export function labFolder(env: Environment = process.env): string {
  if (env.MUSTER_LAB) return resolve(env.MUSTER_LAB);
  if (process.getuid?.() === 0) return '/var/lib/muster/lab';
  return join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'muster', 'lab');
}

export function labEnvironmentFile(folder: string): string {
  return join(folder, 'environment.json');
}

/** undefined where no lab is up. @throws the operating system's error for a file that cannot be read */
export async function localLab(env: Environment = process.env): Promise<LocalLab | undefined> {
  try {
    return JSON.parse(await readFile(labEnvironmentFile(labFolder(env)), 'utf8')) as LocalLab;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
