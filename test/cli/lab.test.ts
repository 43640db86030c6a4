import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSize } from '../../src/cli/size.js';
import { InputError } from '../../src/errors.js';
import { runMuster } from './run-muster.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-lab-cli-'));
});
afterEach(() => rm(folder, { recursive: true }));

const lab = (...args: string[]) => runMuster(['lab', ...args], { env: { MUSTER_LAB: join(folder, 'lab') } });

test('without a lab: status says so, down has nothing to do, break says what to do first', async () => {
  const status = await lab('status', '--json');
  expect([status.code, JSON.parse(status.stdout)]).toEqual([0, { found: false }]);
  const down = await lab('down', '--json');
  expect([down.code, JSON.parse(down.stdout)]).toEqual([0, { dir: join(folder, 'lab'), found: false }]);
  const broken = await lab('break', 'corruption', '--json');
  expect(broken.code).toBe(1);
  expect(JSON.parse(broken.stdout)).toMatchObject({ error: { next: 'Bring it up with muster lab up.' } });
});

test('without a lab nobody has anything to prove with, and others than the lab has never do', async () => {
  const nobody = await lab('proof', 'database-lead', '--json');
  expect(JSON.parse(nobody.stdout)).toMatchObject({ error: { next: 'Bring it up with muster lab up.' } });
  const other = await lab('proof', 'databse-lead', '--json');
  expect(other.code).toBe(2);
  expect(JSON.parse(other.stdout)).toMatchObject({
    error: { problems: [{ field: '<person>', allowed: expect.stringContaining('database-lead, perhaps') }] },
  });
});

test('what the lab cannot do is bad input, and nothing is started', async () => {
  const disaster = await lab('break', 'corrupton');
  expect(disaster.code).toBe(2);
  expect(disaster.stderr).toContain('corruption, perhaps');
  for (const [option, value] of [
    ['--size', '2 pounds'],
    ['--size', '500GB'],
    ['--transactions', '12'],
    ['--transactions', 'many'],
  ] as const) {
    const { code, stderr } = await lab('up', option, value);
    expect(code).toBe(2);
    expect(stderr).toContain(option);
    expect(stderr).toContain(`given:   ${value}`);
  }
  expect(JSON.parse((await lab('status', '--json')).stdout)).toEqual({ found: false });
});

test('sizes as people write them', () => {
  expect(['2GB', '1.5 GiB', '500mb', '1000'].map((given) => parseSize('--size', given))).toEqual([
    2e9, 1_610_612_736, 5e8, 1000,
  ]);
  for (const wrong of ['', '-1', '1e9', 'GB', '2TB'])
    expect(() => parseSize('--size', wrong)).toThrow(InputError);
});
