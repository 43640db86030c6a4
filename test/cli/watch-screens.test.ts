/**
 * The screens of `muster watch` as a commander sees them, kept as text files beside this one to be read and judged.
 * After a wanted change: MUSTER_WRITE_SCREENS=1 npx jest test/cli/watch-screens, then look at each difference.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderWatch } from '../../src/cli/render/watch.js';
import { progressOf } from '../../src/temporal/progress.js';
import { forecast } from '../../workflows/engine/forecast.js';
import { type SeenState, watchStates } from '../support/watch-states.js';

const folder = join(__dirname, 'screens');
const sizes = [
  { width: 80, height: 23 },
  { width: 120, height: 39 },
];

function screenOf({ view, activity, now, silence }: SeenState, width: number, height: number): string[] {
  const ahead = forecast(view, progressOf(activity), now);
  return renderWatch({ view, activity, forecast: ahead, silence }, { width, height, now, color: false });
}

for (const [name, state] of Object.entries(watchStates)) {
  for (const { width, height } of sizes) {
    test(`${name} at ${width}x${height}`, async () => {
      const lines = screenOf(state, width, height);
      const file = join(folder, `watch-${name}-${width}x${height}.txt`);
      const text = `${lines.join('\n')}\n`;
      if (process.env.MUSTER_WRITE_SCREENS !== undefined) {
        await mkdir(folder, { recursive: true });
        await writeFile(file, text);
      }
      expect(text).toBe(await readFile(file, 'utf8'));
    });
  }
}
