/**
 * Text that PostgreSQL's jsonb takes: NUL and lone halves of surrogate pairs become U+FFFD. Done before hashing, so that
 * what is read back has the hash that was kept.
 */
export function storable<T>(value: T): T {
  return clean(value) as T;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what is looked for.
const REFUSED = /\u0000|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

function clean(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(REFUSED, '\uFFFD');
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, held]) => held !== undefined)
      .map(([key, held]) => [clean(key) as string, clean(held)]),
  );
}
