/** Reads runbooks. Whatever is wrong with one is answered with file, line, field, what was given and what is allowed. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { InputError, type InputProblem, messageOf } from '../errors.js';
import { crosscheck } from './crosscheck.js';
import { quoted } from './field-facts.js';
import { nearest } from './nearest.js';
import { problemAt, problemsOf } from './problems.js';
import { type Runbook, runbookSchema } from './schema.js';
import { parseSource, type RunbookSource } from './source.js';

export interface LoadedRunbook {
  readonly file: string;
  readonly runbook: Runbook;
  /** The text with the places of its fields, for findings and later checks. */
  readonly source: RunbookSource;
}

const LARGEST_BYTES = 1024 * 1024;

/**
 * Reads one runbook and checks it against the format and in itself (`crosscheck.ts`).
 *
 * @param file path, as it shall be shown
 * @throws InputError with every problem, in the order of the lines
 */
export async function loadRunbook(file: string): Promise<LoadedRunbook> {
  return readRunbook(file, await readText(file));
}

/**
 * The same for a text that is at hand.
 * @throws InputError
 */
export function readRunbook(file: string, text: string): LoadedRunbook {
  const source = parseSource(file, text);
  if (source.problems.length > 0) throw unusable(file, source.problems);
  const parsed = runbookSchema.safeParse(source.value);
  if (!parsed.success) throw unusable(file, problemsOf(source, parsed.error.issues));
  const runbook = parsed.data;
  const problems = crosscheck(runbook, source);
  if (runbook.system !== systemOf(file)) {
    const allowed = `${systemOf(file)}, the name of the file`;
    problems.unshift(problemAt(source, ['system'], quoted(runbook.system), allowed));
  }
  if (problems.length > 0) throw unusable(file, problems);
  return { file, runbook, source };
}

/**
 * Reads every runbook of a folder (`*.yaml`, `*.yml`), in the order of their names.
 * @throws InputError with the problems of all files
 */
export async function loadRunbooks(dir: string): Promise<LoadedRunbook[]> {
  const outcomes = await Promise.allSettled((await runbookFiles(dir)).map((file) => loadRunbook(file)));
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
  const unexpected = failed.find((reason) => !(reason instanceof InputError));
  if (unexpected !== undefined) throw unexpected;
  const problems = (failed as InputError[]).flatMap((error) => error.problems);
  if (problems.length > 0) throw unusable(dir, problems);
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

/**
 * Reads the runbook of one system; what is wrong with the others of the folder does not matter.
 * @throws InputError, which names the systems that there are when this one is unknown
 */
export async function loadSystem(dir: string, system: string): Promise<LoadedRunbook> {
  const files = await runbookFiles(dir);
  const file = files.find((each) => systemOf(each) === system);
  if (file !== undefined) return loadRunbook(file);
  const known = files.map(systemOf);
  const meant = nearest(system, known);
  throw new InputError(`There is no system ${quoted(system)}.`, [
    {
      field: '<system>',
      given: quoted(system),
      allowed: `${meant === undefined ? '' : `${meant}, perhaps; `}the runbooks in ${dir} are: ${known.join(', ')}`,
    },
  ]);
}

/** Paths of the runbooks of a folder. @throws InputError when there are none or two of one system */
export async function runbookFiles(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((error) => {
    throw unreadable(dir, 'a folder that can be read', error);
  });
  const files = names
    .filter((each) => /\.ya?ml$/.test(each) && !each.startsWith('.'))
    .sort()
    .map((each) => join(dir, each));
  if (files.length === 0) {
    throw new InputError(`There are no runbooks in ${dir}.`, [
      { field: '--runbooks', given: dir, allowed: 'a folder with one YAML file a system' },
    ]);
  }
  const twice = files.find(
    (file, index) => files.findIndex((other) => systemOf(other) === systemOf(file)) < index,
  );
  if (twice === undefined) return files;
  throw new InputError(`Two files describe the system ${systemOf(twice)}.`, [
    { file: twice, field: 'the whole file', given: 'a second runbook', allowed: 'one file a system' },
  ]);
}

/** `payymo` of `runbooks/payymo.yaml`. */
export function systemOf(file: string): string {
  return basename(file, extname(file));
}

async function readText(file: string): Promise<string> {
  const allowed = 'a YAML file that can be read';
  const found = await stat(file).catch((error) => {
    throw unreadable(file, allowed, error);
  });
  if (!found.isFile() || found.size > LARGEST_BYTES) {
    const given = found.isFile() ? `${found.size} bytes` : 'no file';
    throw unusable(file, [{ file, field: 'the whole file', given, allowed: `${allowed}, of at most 1 MiB` }]);
  }
  return readFile(file, 'utf8').catch((error) => {
    throw unreadable(file, allowed, error);
  });
}

function unreadable(path: string, allowed: string, cause: unknown): InputError {
  return new InputError(`${path} cannot be read.`, [
    { file: path, field: 'the whole file', given: messageOf(cause), allowed },
  ]);
}

function unusable(file: string, problems: readonly InputProblem[]): InputError {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return new InputError(`${file} cannot be used: ${count}.`, problems);
}
