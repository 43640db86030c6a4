import fc from 'fast-check';
import { InputError } from '../../src/errors.js';
import { readRunbook } from '../../src/runbook/load.js';
import { duration } from '../../src/runbook/schema.js';
import { parseSource } from '../../src/runbook/source.js';
import { writeDuration } from '../../src/runbook/write-duration.js';
import { good, problemsOf } from '../runbook/cases.js';
import { cases, counted } from './effort.js';

const lines = good.split('\n');

/** Pieces that YAML gives a meaning to. */
const piece = fc.constantFrom(
  ...[
    '\t',
    '  ',
    '\n',
    '- ',
    ': ',
    '? ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '&a ',
    '*a',
    '<<: ',
    '!!set ',
    '!x ',
    '|\n',
    '>-\n',
  ],
  ...[
    '"',
    "'",
    '#',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '@',
    '`',
    '\u0000',
    '\ufeff',
    '\r',
    '\u2028',
    '~',
    '.inf',
    '0x1f',
  ],
  ...[
    '__proto__: ',
    'constructor: ',
    'toString',
    'system: ',
    'people',
    'sites:\n  west:\n',
    'null',
    '1e400',
    '6 h',
  ],
);

/** Never anything but the runbook or bad input with a place. */
function expectAnswer(text: string): void {
  try {
    readRunbook('payymo.yaml', text);
    counted('runbooks accepted');
  } catch (thrown) {
    if (!(thrown instanceof InputError)) throw thrown;
    counted('runbooks refused');
    expect(thrown.problems.length).toBeGreaterThan(0);
    for (const { file, line, column, field, given, allowed } of thrown.problems) {
      expect(file).toBe('payymo.yaml');
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(text.split(/\r\n|\n|\r/).length + 1);
      expect(column).toBeGreaterThanOrEqual(1);
      expect([field, given, allowed].every((part) => part.length > 0)).toBe(true);
    }
  }
}

test('any text is answered', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 8 })), { maxLength: 40 }), (pieces) =>
      expectAnswer(pieces.join('')),
    ),
    cases(100, 0.2),
  );
});

test('a runbook with lines taken out, doubled, moved in or written over is answered', () => {
  const change = fc.record({
    at: fc.nat({ max: lines.length - 1 }),
    how: fc.constantFrom('drop', 'double', 'indent', 'replace', 'insert'),
    text: fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('')),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const changed = [...lines];
      for (const { at, how, text } of changes) {
        const line = changed[at] ?? '';
        if (how === 'drop') changed[at] = '';
        if (how === 'double') changed[at] = `${line}\n${line}`;
        if (how === 'indent') changed[at] = ` ${line}`;
        if (how === 'replace') changed[at] = line.replace(/: .*$/, () => `: ${text}`);
        if (how === 'insert')
          changed[at] = `${line.slice(0, line.length / 2)}${text}${line.slice(line.length / 2)}`;
      }
      expectAnswer(changed.join('\n'));
    }),
    cases(100, 0.25),
  );
});

test('values of any kind in any place are answered', () => {
  const value = fc.jsonValue({ maxDepth: 3 }).map((json) => JSON.stringify(json));
  const places = lines
    .map((line, index) => [line, index] as const)
    .filter(([line]) => /^\s*[a-zA-Z]+: \S/.test(line));
  fc.assert(
    fc.property(fc.constantFrom(...places), value, ([line, index], json) => {
      const changed = [...lines];
      changed[index] = line.replace(/: .*$/, () => `: ${json}`);
      expectAnswer(changed.join('\n'));
    }),
    cases(100, 0.25),
  );
});

test('a secret written in the place of its reference is never echoed', () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9+/=_.!$%^()-]{12,40}$/);
  const places = [
    ['password: file:/etc/muster/secrets/ledger-admin-password', (value: string) => `password: ${value}`],
    ['password: file:/etc/muster/secrets/ledger-app-password', (value: string) => `password: "${value}`],
    ['password: file:/etc/muster/secrets/ledger-app-password', (value: string) => `password: '${value}' x`],
    ['password: file:/etc/muster/secrets/ledger-app-password', (value: string) => `password: *${value}`],
    ['password: file:/etc/muster/secrets/ledger-app-password', (value: string) => `password: !${value} x`],
    [
      'password: file:/etc/muster/secrets/ledger-app-password',
      (value: string) => `password: {key: ${value}}`,
    ],
    [
      "parameters: ['file:/etc/muster/secrets/ledger-signing-key']",
      (value: string) => `parameters: ['${value}']`,
    ],
    [
      '  bucket: payymo-muster-vault',
      (value: string) => `  bucket: payymo-muster-vault\n  secretAccessKey: ${value}`,
    ],
    [
      'PAYYMO_DATABASE_PASSWORD: file:/etc/muster/secrets/ledger-app-password',
      (value: string) => `PAYYMO_KEY: ${value}`,
    ],
  ] as const;
  fc.assert(
    fc.property(fc.constantFrom(...places), secret, ([from, write], value) => {
      const problems = problemsOf(good.replace(from, () => write(value)));
      expect(problems.length).toBeGreaterThan(0);
      expect(JSON.stringify(problems)).not.toContain(value);
    }),
    cases(100, 0.1),
  );
});

test('what is written as a duration is read back as the same', () => {
  fc.assert(
    fc.property(fc.nat({ max: 400 * 86_400 }), (seconds) => {
      const durationMs = seconds * 1_000;
      expect(duration.parse(writeDuration(durationMs))).toBe(durationMs);
    }),
  );
});

test('the place of every field of a runbook is its own line', () => {
  const source = parseSource('payymo.yaml', good);
  const leaves: (string | number)[][] = [];
  const walk = (value: unknown, path: (string | number)[]): void => {
    if (typeof value !== 'object' || value === null) leaves.push(path);
    else
      for (const [key, inner] of Object.entries(value))
        walk(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  };
  walk(source.value, []);
  expect(leaves.length).toBeGreaterThan(100);
  for (const path of leaves) {
    const key = path.filter((part) => typeof part === 'string').at(-1);
    const { line, column } = source.placeOf(path);
    const text = (lines[line - 1] as string).slice(column - 1);
    if (typeof path.at(-1) === 'string') expect(text.startsWith(`${key}:`)).toBe(true);
    else expect(text.length).toBeGreaterThan(0);
  }
});
