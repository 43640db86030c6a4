/** `muster check`: are the runbooks in order, and can they hold what they promise? */
import { extname, isAbsolute, relative, resolve } from 'node:path';
import { InputError, type InputProblem } from '../../errors.js';
import { quoted } from '../../runbook/field-facts.js';
import { findingsOf } from '../../runbook/findings.js';
import { loadRunbook, runbookFiles, systemOf } from '../../runbook/load.js';
import { nearest } from '../../runbook/nearest.js';
import { type CliContext, exitCodes, type Register } from '../context.js';
import { planScenario, scenariosOf } from '../planning.js';
import { type CheckedFile, renderChecks } from '../render/findings.js';

export const register: Register = (program, context) => {
  program
    .command('check')
    .description('check runbooks: errors with file, line and field; promises that cannot be held')
    .argument('[what...]', 'files or systems (default: all runbooks)')
    .addHelpText(
      'after',
      `
Errors keep a recovery from starting: exit code 2. Findings do not.

Examples:
  muster check                       every runbook
  muster check payymo                the runbook of one system
  muster check runbooks/payymo.yaml  a file, wherever it is
  muster check --json                {"ok": ..., "files": [{"problems": [...], "findings": [...]}]}`,
    )
    .action(async (what: string[]) => {
      const files: CheckedFile[] = [];
      for (const file of await filesOf(what, context)) files.push(await checkFile(file));
      const ok = files.every((file) => file.problems.length === 0);
      const { PAYLOADS_IN_CLEAR, encryption } = await import('../../temporal/codec-converter.js');
      if (encryption(context.world.env) === 'off') context.out.note(PAYLOADS_IN_CLEAR);
      context.out.result({ ok, files }, (colors) => renderChecks(files, colors, context.out.width));
      if (!ok) context.finishWith(exitCodes.badInput);
    });
};

async function checkFile(file: string): Promise<CheckedFile> {
  const found = { file, system: systemOf(file) };
  try {
    const loaded = await loadRunbook(file);
    const problems: InputProblem[] = [];
    for (const scenario of await scenariosOf(loaded)) {
      problems.push(...(await planScenario(loaded, scenario)).problems);
    }
    const { runbook, source } = loaded;
    return { ...found, title: runbook.title, problems, findings: findingsOf(runbook, source) };
  } catch (thrown) {
    if (thrown instanceof InputError) return { ...found, problems: thrown.problems, findings: [] };
    throw thrown;
  }
}

/** @throws InputError for a system that there is no runbook of */
async function filesOf(what: readonly string[], context: CliContext): Promise<string[]> {
  const { cwd } = context.world;
  const named = what.map((each) => (isFile(each) ? resolve(cwd, each) : undefined));
  const systems = what.filter((each) => !isFile(each));
  if (systems.length === 0 && what.length > 0) return named.map((file) => shown(file as string, cwd));
  const { dir } = await context.runbooks();
  const all = await runbookFiles(dir);
  const known = all.map(systemOf);
  const unknown = systems.filter((system) => !known.includes(system));
  if (unknown.length > 0) throw unknownSystems(unknown, known, shown(dir, cwd));
  const wanted =
    what.length === 0 ? all : what.map((each, index) => named[index] ?? all[known.indexOf(each)]);
  return wanted.map((file) => shown(file as string, cwd));
}

function isFile(given: string): boolean {
  return given.includes('/') || ['.yaml', '.yml'].includes(extname(given));
}

/** Relative to where the person stands, unless that leads upwards. */
function shown(path: string, cwd: string): string {
  const fromHere = relative(cwd, path);
  return fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
}

function unknownSystems(unknown: readonly string[], known: readonly string[], dir: string): InputError {
  return new InputError(
    `There is no runbook of ${unknown.join(', ')}.`,
    unknown.map((system) => {
      const meant = nearest(system, known);
      const perhaps = meant === undefined ? '' : `${meant}, perhaps; `;
      return {
        field: '[what...]',
        given: quoted(system),
        allowed: `${perhaps}the runbooks in ${dir} are: ${known.join(', ')}; a file is named with its path`,
      };
    }),
  );
}
