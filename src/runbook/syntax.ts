/** What is wrong with a text that is no YAML, in words for somebody who does not know YAML's own. */
import type { YAMLError } from 'yaml';
import type { InputProblem } from '../errors.js';
import type { Place } from './source.js';

interface Explanation {
  readonly field: string;
  readonly allowed: string;
}

const explanations: Readonly<Partial<Record<YAMLError['code'], Explanation>>> = {
  DUPLICATE_KEY: { field: 'duplicate key', allowed: 'each key once in its map' },
  TAB_AS_INDENT: { field: 'indentation', allowed: 'spaces; tabs do not count as indentation' },
  BAD_INDENT: {
    field: 'indentation',
    allowed: 'the same number of spaces for all fields of one map or list',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    field: 'nesting',
    allowed: 'nested fields on lines of their own, indented; text that holds ": " in quotes',
  },
  BLOCK_IN_FLOW: { field: 'nesting', allowed: 'inside [ ] and { } only values separated by commas' },
  MISSING_CHAR: {
    field: 'punctuation',
    allowed: 'every quote and bracket closed, a space after ":" and ","',
  },
  MULTIPLE_DOCS: { field: 'the whole file', allowed: 'one document a file: no line that holds only ---' },
  MULTIPLE_ANCHORS: { field: 'anchor', allowed: 'one anchor (&name) a value' },
  BAD_ALIAS: { field: 'alias', allowed: 'an alias (*name) only after its anchor (&name), never inside it' },
  MULTILINE_IMPLICIT_KEY: { field: 'key', allowed: 'a key on one line, followed by ":"' },
  KEY_OVER_1024_CHARS: { field: 'key', allowed: 'keys of less than 1024 characters' },
  TAG_RESOLVE_FAILED: { field: 'tag', allowed: 'plain values, without tags such as !name' },
  BAD_COLLECTION_TYPE: { field: 'tag', allowed: 'plain values, without tags such as !name' },
};

/** The text itself is not echoed: a secret might stand there. */
export function syntaxProblem(
  file: string,
  text: string,
  place: Place,
  code: YAMLError['code'],
): InputProblem {
  const { field, allowed } = explanations[code] ?? {
    field: 'syntax',
    allowed: 'YAML: "field: value" lines, nested by indentation; text with special characters in quotes',
  };
  const line = text.split('\n')[place.line - 1] ?? '';
  const key = /^\s*(?:- +)?([A-Za-z][\w-]{0,40}) *:/.exec(line)?.[1];
  const given = [
    code === 'TAB_AS_INDENT' || /^\s*\t/.test(line) ? 'a tab' : undefined,
    key === undefined ? undefined : `the line of "${key}"`,
  ].filter((part) => part !== undefined);
  return {
    file,
    ...place,
    field,
    given: given.length === 0 ? `what stands in line ${place.line}` : given.join(' in '),
    allowed,
  };
}
