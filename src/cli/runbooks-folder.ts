/** Where the runbooks are: what was asked for, else the environment, else the lab that is up, else ./runbooks. */
import { stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { localLab } from '../lab-environment.js';
import type { CliWorld } from './context.js';

export interface RunbooksFolder {
  /** Absolute. */
  readonly dir: string;
  /** As people write it: relative where that is shorter. */
  readonly shown: string;
  readonly namedBy: '--runbooks' | 'MUSTER_RUNBOOKS' | 'lab' | 'default';
}

/**
 * Precedence: `--runbooks`, `MUSTER_RUNBOOKS`, the runbooks of the lab that is up, `./runbooks`.
 *
 * @throws InputError when the folder that was named is not there
 */
export async function chooseRunbooksFolder(
  option: string | undefined,
  world: Pick<CliWorld, 'env' | 'cwd'>,
): Promise<RunbooksFolder> {
  const { env, cwd } = world;
  if (option !== undefined) return existing(option, '--runbooks', cwd);
  if (env.MUSTER_RUNBOOKS) return existing(env.MUSTER_RUNBOOKS, 'MUSTER_RUNBOOKS', cwd);
  const lab = await labRunbooks(env);
  if (lab !== undefined) return existing(lab, 'lab', cwd);
  return existing('runbooks', 'default', cwd);
}

async function existing(
  given: string,
  namedBy: RunbooksFolder['namedBy'],
  cwd: string,
): Promise<RunbooksFolder> {
  const dir = resolve(cwd, given);
  if (!(await isFolder(dir))) {
    throw new InputError('There are no runbooks where they were looked for.', [
      {
        field: namedBy === 'default' ? '--runbooks' : namedBy,
        given: namedBy === 'default' ? `nothing, and ${dir} is not a folder` : given,
        allowed: 'a folder that holds one YAML file a system',
      },
    ]);
  }
  const fromHere = relative(cwd, dir);
  return { dir, namedBy, shown: isAbsolute(given) || fromHere.startsWith('..') ? dir : fromHere };
}

/** The lab's own copies of the runbooks, with its addresses; undefined when no lab is up. */
async function labRunbooks(env: CliWorld['env']): Promise<string | undefined> {
  const folder = (await localLab(env))?.environment.MUSTER_RUNBOOKS;
  return folder !== undefined && (await isFolder(folder)) ? folder : undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
