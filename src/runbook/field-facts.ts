/** What the format says about a field, looked up in its JSON Schema by path: for messages that name what is allowed. */
import { formats } from './fields.js';
import { runbookJsonSchema } from './json-schema.js';
import type { FieldPath } from './source.js';

export interface FieldFacts {
  /** `text`, `a whole number from 1 to 65535`, `a list`, ... */
  readonly kind?: string;
  readonly description?: string;
  /** Fields that a map may have; absent where the names are free. */
  readonly fields?: readonly string[];
}

/** The part of JSON Schema that zod makes of the format. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

let format: Schema | undefined;

function schemaAt(path: FieldPath): Schema | undefined {
  format ??= runbookJsonSchema() as Schema;
  let schema: Schema | undefined = format;
  for (const part of path) {
    if (schema === undefined) return undefined;
    if (typeof part === 'number') schema = schema.items;
    else if (schema.properties !== undefined && Object.hasOwn(schema.properties, part)) {
      schema = schema.properties[part];
    } else {
      schema = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
    }
  }
  return schema;
}

export function factsAt(path: FieldPath): FieldFacts {
  const schema = schemaAt(path);
  if (schema === undefined) return {};
  const kind = kindOf(schema);
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(schema.description === undefined ? {} : { description: schema.description }),
    ...(schema.properties === undefined ? {} : { fields: Object.keys(schema.properties) }),
  };
}

function kindOf(schema: Schema): string | undefined {
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(String).join(', ');
  switch (schema.type) {
    case 'string':
      return formats.get(schema.pattern ?? '') ?? 'text';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number from ${schema.minimum} to ${schema.maximum}`;
    case 'array':
      return 'a list';
    case 'object':
      return schema.properties === undefined
        ? 'a map of names'
        : `a map with ${Object.keys(schema.properties).join(', ')}`;
    default:
      return undefined;
  }
}

/** Whether a value there is a secret, or would be one if somebody wrote it into the wrong place. */
export function isSecretField(path: FieldPath): boolean {
  const [last, around] = [path.at(-1), path.at(-2)].map(String);
  const named = /pass|secret|token|credential|accesskey|signing|private/i;
  return (
    named.test(last ?? '') ||
    around === 'parameters' ||
    around === 'environment' ||
    schemaAt(path)?.description?.includes('reference') === true
  );
}

/** In quotes, short, and without characters that a terminal would obey. */
export function quoted(text: string): string {
  const short = text.length <= 60 ? text : `${text.slice(0, 57)}...`;
  return JSON.stringify(short).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `objectives.components.database.rto`, `people[1].roles`. */
export function fieldName(path: FieldPath): string {
  if (path.length === 0) return 'the whole file';
  return path
    .map((part) => {
      if (typeof part === 'number') return `[${part}]`;
      return /^([\w-]+|<<)$/.test(part) ? `.${part}` : `[${quoted(part)}]`;
    })
    .join('')
    .replace(/^\./, '');
}
