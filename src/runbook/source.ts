/** The text of a runbook with the places of its fields, so that every problem can say file, line and column. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';
import type { InputProblem } from '../errors.js';
import { syntaxProblem } from './syntax.js';

export type FieldPath = readonly (string | number)[];

/** From 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface RunbookSource {
  /** As the person named it. */
  readonly file: string;
  /** Plain data; undefined when the text is no YAML. */
  readonly value: unknown;
  readonly problems: readonly InputProblem[];
  /** Where the field stands: its key in a map, its item in a list; where it is missing, the nearest part around it. */
  readonly placeOf: (path: FieldPath) => Place;
}

/** Reads YAML 1.2. Never throws: what is wrong with the text is in `problems`. */
export function parseSource(file: string, text: string): RunbookSource {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    uniqueKeys: true,
    stringKeys: false,
    logLevel: 'error',
  });
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const placeOf = (path: FieldPath) => place(offsetOf(document, path));
  const problems = firstOfEachLine(
    [...document.errors, ...document.warnings].map((error) =>
      syntaxProblem(file, text, place(error.pos[0]), error.code),
    ),
  );
  if (problems.length > 0) return { file, value: undefined, problems, placeOf };
  try {
    return { file, value: document.toJS({ maxAliasCount: 100 }), problems, placeOf };
  } catch {
    // An alias without its anchor, inside its own anchor, or so many that they multiply.
    const at = place(firstAlias(document) ?? 0);
    return { file, value: undefined, problems: [syntaxProblem(file, text, at, 'BAD_ALIAS')], placeOf };
  }
}

/** One mistake makes the parser stumble several times. */
function firstOfEachLine(problems: readonly InputProblem[]): readonly InputProblem[] {
  return problems.filter(
    (problem, index) => problems.findIndex(({ line }) => line === problem.line) === index,
  );
}

function firstAlias(document: Document): number | undefined {
  let found: number | undefined;
  visit(document, {
    Alias: (_key, alias) => {
      found = startOf(alias);
      return visit.BREAK;
    },
  });
  return found;
}

/** Walks as far down the path as the document goes. */
function offsetOf(document: Document, path: FieldPath): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    const around = isAlias(node) ? node.resolve(document) : node;
    if (isMap(around)) {
      const pair = (around.items as Pair[]).find((item) => keyText(item.key) === String(step));
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(around)) {
      const item = around.items[Number(step)];
      if (item === undefined) return offset;
      offset = startOf(item) ?? offset;
      node = item;
    } else {
      return offset;
    }
  }
  return offset;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
