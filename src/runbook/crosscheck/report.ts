import type { InputProblem } from '../../errors.js';
import { quoted } from '../field-facts.js';
import { nearest } from '../nearest.js';
import { describeGiven, problemAt, valueAt } from '../problems.js';
import type { FieldPath, RunbookSource } from '../source.js';

/** Collects what the checks find. */
export class Problems {
  readonly #found: InputProblem[] = [];

  constructor(private readonly source: RunbookSource) {}

  /** @param given in words, where the value itself does not tell */
  add(path: FieldPath, allowed: string, given = describeGiven(valueAt(this.source.value, path), path)): void {
    this.#found.push(problemAt(this.source, path, given, allowed));
  }

  /** A reference to something that is named elsewhere in the runbook. */
  mustBeOneOf(path: FieldPath, name: string, known: readonly string[], what: string): void {
    if (known.includes(name)) return;
    const meant = nearest(name, known);
    const listed = known.length === 0 ? 'there is none' : known.join(', ');
    this.add(
      path,
      `${what}: ${meant === undefined ? '' : `${meant}, perhaps; known: `}${listed}`,
      quoted(name),
    );
  }

  /** Names that must not come twice, with the path of each. */
  mustDiffer(entries: readonly { readonly path: FieldPath; readonly value: string }[], what: string): void {
    const seen = new Set<string>();
    for (const { path, value } of entries) {
      if (seen.has(value)) this.add(path, `${what} that no other one has`, quoted(value));
      seen.add(value);
    }
  }

  all(): InputProblem[] {
    return [...this.#found];
  }
}
