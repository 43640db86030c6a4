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
  /** Sections of which each is told by its `driver`. */
  readonly oneOf?: readonly Schema[];
}

let format: Schema | undefined;

/** Every schema that the field may have: one, or one for each driver where the driver given is not known. */
function schemasAt(path: FieldPath, whole: unknown): readonly Schema[] {
  format ??= runbookJsonSchema() as Schema;
  let schemas: readonly Schema[] = [format];
  let given = whole;
  for (const part of path) {
    schemas = schemas.flatMap((schema) => childOf(schema, part) ?? []);
    given = typeof given === 'object' && given !== null ? Reflect.get(given, part) : undefined;
    schemas = schemas.flatMap((schema) => ofDriver(schema, given));
  }
  return schemas;
}

function childOf(schema: Schema, part: string | number): Schema | undefined {
  if (typeof part === 'number') return schema.items;
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, part)) {
    return schema.properties[part];
  }
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function ofDriver(schema: Schema, given: unknown): readonly Schema[] {
  if (schema.oneOf === undefined) return [schema];
  const driver = typeof given === 'object' && given !== null ? Reflect.get(given, 'driver') : undefined;
  const own = schema.oneOf.filter(({ properties }) => properties?.driver?.const === driver);
  return own.length > 0 ? own : schema.oneOf;
}

/** @param whole what the runbook holds, as given: which facts hold may depend on its drivers */
export function factsAt(path: FieldPath, whole: unknown): FieldFacts {
  const schemas = schemasAt(path, whole);
  const kinds = new Set(schemas.flatMap((schema) => kindOf(schema) ?? []));
  const description = schemas.find((schema) => schema.description !== undefined)?.description;
  const fields = new Set(schemas.flatMap(({ properties }) => Object.keys(properties ?? {})));
  return {
    ...(kinds.size === 0 ? {} : { kind: [...kinds].join(', ') }),
    ...(description === undefined || schemas.length > 1 ? {} : { description }),
    ...(schemas.some(({ properties }) => properties !== undefined) ? { fields: [...fields] } : {}),
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
    schemasAt(path, undefined).some(({ description }) => description?.includes('reference'))
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
