/** Bad input made from a good runbook by one replacement, with what must be said about it. */
import { readFileSync } from 'node:fs';
import { InputError, type InputProblem } from '../../src/errors.js';
import { readRunbook } from '../../src/runbook/load.js';

export const good = readFileSync('runbooks/payymo.yaml', 'utf8');

export interface Case {
  readonly what: string;
  /** Replaced first, so that there is something to be wrong about. */
  readonly before?: readonly (readonly [from: string, to: string])[];
  /** First occurrence of this text is replaced. */
  readonly from: string;
  readonly to: string;
  readonly field: string;
  readonly given?: string | RegExp;
  readonly allowed: string | RegExp;
  /** The problem stands in the first line with this text; `to` where left out. */
  readonly at?: string;
}

/** Line of the first place that holds `part`, from 1. */
export function lineOf(text: string, part: string): number {
  const offset = text.indexOf(part);
  if (offset < 0) throw new Error(`the test looks for ${JSON.stringify(part)}, which is not there`);
  const skipped = part.length - part.trimStart().length;
  return text.slice(0, offset + (part.startsWith('\n') ? skipped : 0)).split('\n').length;
}

export function problemsOf(text: string, file = 'payymo.yaml'): readonly InputProblem[] {
  try {
    readRunbook(file, text);
  } catch (thrown) {
    if (thrown instanceof InputError) return thrown.problems;
    throw thrown;
  }
  return [];
}

/**
 * One test a case: the problem is found at its line and field, and no secret is echoed.
 * @param system whose runbook they are made from
 */
export function testCases(cases: readonly Case[], system = 'payymo'): void {
  const file = `${system}.yaml`;
  const original = readFileSync(`runbooks/${file}`, 'utf8');
  test.each(cases.map((each) => [each.what, each] as const))(
    '%s',
    (_what, { before = [], from, to, field, given, allowed, at }) => {
      const text = [...before, [from, to] as const].reduce((changed, [old, by]) => {
        expect(changed).toContain(old);
        return changed.replace(old, () => by);
      }, original);
      const problems = problemsOf(text, file);
      const problem = problems.find((each) => each.field === field);
      expect(problems.map((each) => each.field)).toContain(field);
      expect(problem?.file).toBe(file);
      expect(problem?.line).toBe(lineOf(text, at ?? (to.split('\n')[0] as string)));
      if (given !== undefined) expect(problem?.given).toEqual(matching(given));
      expect(problem?.allowed).toEqual(matching(allowed));
      expect(JSON.stringify(problems)).not.toContain('hunter2');
    },
  );
}

function matching(wanted: string | RegExp) {
  return typeof wanted === 'string' ? wanted : expect.stringMatching(wanted);
}
