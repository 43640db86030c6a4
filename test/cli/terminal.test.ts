/** Watching on a terminal: redrawn in place, never more than fits, the last screen stays. */
import { runCli } from '../../src/cli/program.js';
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';
import { eventually } from '../support/eventually.js';

const ESCAPE = '\u001b';

let world: CliTestWorld;
beforeAll(async () => {
  world = await openCliWorld();
});
afterAll(() => world.close());

/** A terminal of 80 columns and 24 lines that remembers what was written. */
function terminal() {
  const written: string[] = [];
  return {
    written,
    stream: {
      isTTY: true,
      columns: 80,
      rows: 24,
      write: (text: string) => {
        written.push(text);
        return true;
      },
    },
  };
}

test('the screen is redrawn in place until the run ends', async () => {
  const { system } = await world.start();
  const { written, stream } = terminal();
  const watched = runCli(['watch', system], {
    streams: { stdout: stream, stderr: stream },
    env: { ...world.env, NO_COLOR: '1' },
    cwd: process.cwd(),
    version: '0.0.0',
  });
  for (const gate of ['point', 'promote']) {
    // Each gate is on the screen before it is decided.
    await eventually(async () => expect(written.join('')).toContain(`approve ${system} ${gate}`));
    await world.muster('approve', system, gate, '--by', 'ada');
  }
  expect(await watched).toBe(0);

  const frames = written.filter((text) => text.includes(system));
  expect(frames.length).toBeGreaterThan(1);
  // Every frame but the first takes back the one before it, and nothing else is written.
  for (const frame of frames.slice(1)) expect(frame.startsWith(`${ESCAPE}[2K`)).toBe(true);
  for (const frame of frames) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what moves the cursor
    const lines = frame.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '').split('\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  }
  expect(frames.at(-1)).toContain('RECOVERED');
});
