import { createOutput, type OutStream } from '../../src/cli/output.js';
import { hanging, wrapText } from '../../src/cli/render/wrap-text.js';
import { InputError, PermanentError } from '../../src/errors.js';

function stream(terminal: boolean, columns?: number): OutStream & { text: string } {
  return {
    text: '',
    isTTY: terminal,
    ...(columns === undefined ? {} : { columns }),
    write(text: string) {
      this.text += text;
    },
  };
}

function outputTo(options: {
  json?: boolean;
  color?: boolean;
  terminal?: boolean;
  env?: Record<string, string>;
}) {
  const streams = {
    stdout: stream(options.terminal === true),
    stderr: stream(options.terminal === true, 60),
  };
  const out = createOutput(streams, options.env ?? {}, {
    json: options.json === true,
    color: options.color !== false,
  });
  return { out, ...streams };
}

const ESCAPE = '\u001b';

const missing = new PermanentError('FenceNotProven', 'The write was not refused.', {
  why: 'The old primary answered.',
  next: 'Cut it off, then retry.',
  cause: new Error('inner'),
  details: { attempts: 3 },
});

test('an error for people: what, why, what next', () => {
  const { out, stdout, stderr } = outputTo({});
  out.error(missing);
  expect(stdout.text).toBe('');
  expect(stderr.text).toBe(
    'error  The write was not refused. (FenceNotProven)\nwhy    The old primary answered.\nnext   Cut it off, then retry.\n',
  );
});

test('an error for scripts: one object on standard output, the text stays on standard error', () => {
  const { out, stdout, stderr } = outputTo({ json: true });
  out.line('not with --json');
  out.error(missing);
  expect(JSON.parse(stdout.text)).toEqual({
    error: {
      code: 'FenceNotProven',
      message: 'The write was not refused.',
      why: 'The old primary answered.',
      next: 'Cut it off, then retry.',
      details: { attempts: 3 },
    },
  });
  expect(stderr.text).toContain('FenceNotProven');
});

test('what is not an error of ours is a defect, with its stack only where it is asked for', () => {
  const defect = new TypeError('x is not a function');
  const plain = outputTo({ json: true });
  plain.out.error(defect);
  expect(JSON.parse(plain.stdout.text).error).toEqual({
    code: 'Unexpected',
    message: 'x is not a function',
    next: expect.stringContaining('MUSTER_DEBUG=1'),
  });
  const debug = outputTo({ json: true, env: { MUSTER_DEBUG: '1' } });
  debug.out.error(defect);
  expect(JSON.parse(debug.stdout.text).error.stack).toContain('TypeError');
});

test.each([
  ['a terminal', { terminal: true }, true],
  ['a pipe', {}, false],
  ['--no-color', { terminal: true, color: false }, false],
  ['NO_COLOR', { terminal: true, env: { NO_COLOR: '1' } }, false],
  ['a dumb terminal', { terminal: true, env: { TERM: 'dumb' } }, false],
  ['a pipe with FORCE_COLOR', { env: { FORCE_COLOR: '1' } }, true],
])('colour on %s', (_where, options, coloured) => {
  const { out, stdout, stderr } = outputTo(options);
  out.result({}, (colors) => colors.red('text'));
  out.error(missing);
  expect([stdout.text.includes(ESCAPE), stderr.text.includes(ESCAPE)]).toEqual([coloured, coloured]);
});

test('problems are wrapped on a terminal and left alone in a log', () => {
  const allowed = `a list of names that is much longer than sixty columns, /a/path/${'x'.repeat(70)}, end`;
  const error = new InputError('Wrong.', [{ field: 'f', given: 'g', allowed }]);
  const log = outputTo({});
  log.out.error(error);
  expect(log.stderr.text).toContain(`  allowed: ${allowed}\n`);
  const terminal = outputTo({ terminal: true, color: false });
  terminal.out.error(error);
  const lines = terminal.stderr.text.split('\n');
  expect(lines.filter((line) => line.length > 60)).toEqual([expect.stringContaining('x'.repeat(70))]);
});

test('no number is parted from its unit, no word is cut', () => {
  expect(wrapText('it may take 10 min', 14)).toEqual(['it may take', '10 min']);
  expect(hanging('next  ', 'run /usr/lib/postgresql/15/bin/pg_ctl now', 20)).toBe(
    'next  run\n      /usr/lib/postgresql/15/bin/pg_ctl\n      now',
  );
});
