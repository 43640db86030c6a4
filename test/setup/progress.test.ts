import path from 'node:path';
import { pathWithParts } from '../../setup/path.mjs';
import { createProgress, seconds } from '../../setup/progress.mjs';
import { program, temporaryFolder } from './support.js';

function stream(terminal: boolean) {
  const written: string[] = [];
  return { isTTY: terminal, columns: 40, written, write: (text: string) => written.push(text) };
}

test('in a file, progress is plain lines with the seconds each job took', () => {
  let now = 0;
  const out = stream(false);
  const progress = createProgress(out, () => now);
  progress.begin('temporal', 'Temporal', 'about 4 minutes');
  progress.say('temporal', 'compiling');
  now = 184_000;
  progress.done('temporal', 'done');
  expect(out.written).toEqual([
    'set-up: Temporal (about 4 minutes)\n',
    'set-up: Temporal: done, 3 min 04 s\n',
  ]);
  expect(out.written.join('')).not.toContain('\x1b');
});

test('on a terminal, each job has one line that shows its newest output and never wraps', () => {
  let now = 0;
  const out = stream(true);
  const progress = createProgress(out, () => now);
  progress.begin('a', 'First part', 'a moment');
  progress.say('a', `\x1b[32mfetching\x1b[0m ${'x'.repeat(100)}`);
  now = 9_000;
  progress.begin('b', 'Second part', 'a moment');
  const shown = out.written.slice(-3);
  expect(shown[0]).toBe('\x1b[1A\x1b[J');
  expect(shown[1]).toMatch(/^ +9 s {2}First part {2}fetching x+\n$/);
  expect(shown[1]?.length).toBe(40);
  expect(shown[2]).toMatch(/^ +0 s {2}Second part {2}a moment\n$/);
  progress.done('a', 'done');
  progress.done('b', 'done');
  expect(out.written.join('')).toMatch(/ {2}9 s {2}First part: done\n[\s\S]* {2}0 s {2}Second part: done\n$/);
});

test('durations are read at a glance', () => {
  expect([400, 59_400, 60_000, 754_000].map(seconds)).toEqual(['0 s', '59 s', '1 min 00 s', '12 min 34 s']);
});

test('programs that PATH does not lead to come first in it; the others leave it alone', () => {
  const here = temporaryFolder();
  const usual = program(path.join(here, 'usual', 'dig'), '');
  program(path.join(here, 'usual', 'pgbackrest'), '');
  const own = program(path.join(here, 'own', 'pgbackrest'), '');
  const part = (file: string) => ({
    path: file,
    version: '1',
    source: 'cache' as const,
    extra: { binDir: path.dirname(file) },
  });
  const before = path.join(here, 'usual');
  expect(pathWithParts({ dig: part(usual) }, before)).toBe(before);
  expect(pathWithParts({ dig: part(usual), pgbackrest: part(own) }, before)).toBe(
    `${path.join(here, 'own')}:${before}`,
  );
});
