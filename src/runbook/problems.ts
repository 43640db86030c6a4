/** Turns what the schema refuses into problems a person can act on: place, field, what was given, what is allowed. */
import type { z } from 'zod';
import type { InputProblem } from '../errors.js';
import { type FieldFacts, factsAt, fieldName, isSecretField, quoted } from './field-facts.js';
import { nearest } from './nearest.js';
import type { FieldPath, RunbookSource } from './source.js';

type Issue = z.core.$ZodIssue;

export function problemsOf(source: RunbookSource, issues: readonly Issue[]): InputProblem[] {
  return issues.flatMap((issue) => problemsOfIssue(source, issue)).sort(byPlace);
}

/** A problem at a field, for whoever checks more than the schema can. */
export function problemAt(
  source: RunbookSource,
  path: FieldPath,
  given: string,
  allowed: string,
): InputProblem {
  return { file: source.file, ...source.placeOf(path), field: fieldName(path), given, allowed };
}

export function byPlace(one: InputProblem, other: InputProblem): number {
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}

function problemsOfIssue(source: RunbookSource, issue: Issue): InputProblem[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  const facts = factsAt(path, source.value);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      problemAt(source, [...path, key], `the unknown field ${quoted(key)}`, allowedKeys(key, facts)),
    );
  }
  if (issue.code === 'invalid_key') {
    const [inner] = issue.issues;
    return [
      problemAt(source, path, `the name ${quoted(String(path.at(-1)))}`, inner?.message ?? 'another name'),
    ];
  }
  const value = valueAt(source.value, path);
  return [problemAt(source, path, describeGiven(value, path), describeAllowed(issue, facts))];
}

function allowedKeys(key: string, facts: FieldFacts): string {
  if (key === '<<') return 'the fields themselves: merge keys (<<) are not used';
  const known = facts.fields ?? [];
  const meant = nearest(key, known);
  return `${meant === undefined ? '' : `${meant}, perhaps; known here: `}${known.join(', ')}`;
}

function describeAllowed(issue: Issue, facts: FieldFacts): string {
  const { description } = facts;
  const said = (rule: string) => (description === undefined ? rule : `${rule} (${withoutStop(description)})`);
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.map((value) => String(value)).join(', ');
    case 'invalid_format':
      return issue.message;
    case 'too_small':
    case 'too_big':
      return said(range(facts, issue));
    case 'invalid_type':
      return said(facts.kind ?? issue.expected);
    case 'invalid_union':
      return said(facts.kind ?? 'text, a number, true or false');
    default:
      return said(issue.message);
  }
}

function range(facts: FieldFacts, issue: Issue & { code: 'too_small' | 'too_big' }): string {
  if (issue.origin === 'string')
    return issue.code === 'too_small' ? atLeast(issue, 'character') : 'a shorter text';
  if (issue.origin === 'array') return issue.code === 'too_small' ? atLeast(issue, 'item') : 'fewer items';
  return facts.kind ?? 'a number within its limits';
}

function atLeast(issue: Issue & { code: 'too_small' | 'too_big' }, noun: string): string {
  const least = issue.code === 'too_small' ? Number(issue.minimum) : 0;
  return `at least ${least} ${noun}${least === 1 ? '' : 's'}`;
}

/** What was given, short, and never what is or may be a secret. */
export function describeGiven(value: unknown, path: FieldPath): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'nothing (the field is empty)';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map of fields';
  if (isSecretField(path) || /PRIVATE KEY|AGE-SECRET-KEY/i.test(String(value)))
    return `${String(value).length} characters, not shown: they may be a secret`;
  if (typeof value === 'string') return quoted(value.replace(/\/\/[^/\s]*@/, '//***@'));
  return String(value);
}

export function valueAt(value: unknown, path: FieldPath): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined;
    current = (current as Record<string | number, unknown>)[part];
  }
  return current;
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}
