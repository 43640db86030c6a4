import serialize from 'canonicalize';

/**
 * Canonical JSON (RFC 8785): the one byte sequence of a value, so that hashes and signatures can be checked elsewhere.
 * @throws TypeError for what JSON cannot hold
 */
export function canonicalJson(value: unknown): string {
  // The package's types describe a default export that its CommonJS build does not have under Node's own resolution.
  const text = (serialize as unknown as (input: unknown) => string | undefined)(value);
  if (text === undefined) throw new TypeError('This value has no JSON form.');
  return text;
}
