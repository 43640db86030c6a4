import { mkdir, mkdtemp, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changedSince, writingBack } from '../../activities/restore/write-back.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-write-back-'));
  await mkdir(join(folder, 'base', '5'), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, bytes: number, at: Date): Promise<string> {
  const path = join(folder, 'base', '5', name);
  await writeFile(path, '');
  await truncate(path, bytes);
  await utimes(path, at, at);
  return path;
}

test('large files that were changed go to the disk, others wait for the end', async () => {
  const [before, after] = [new Date('2026-03-01T03:00:00Z'), new Date('2026-03-01T03:00:10Z')];
  const large = await file('16384', 8e6, after);
  await file('16385', 8e6, before);
  await file('16386', 100, after);
  await writeFile(join(folder, 'base', 'no-database'), '');
  expect(await changedSince(join(folder, 'base'), Date.parse('2026-03-01T03:00:05Z'))).toEqual([large]);
  expect(await changedSince(join(folder, 'gone'), 0)).toEqual([]);
});

test('it ends with the work, gives what that gives, and hides none of its failures', async () => {
  const dropped = await file('16384', 8e6, new Date());
  const work = async () => {
    await rm(dropped);
    return 7;
  };
  await expect(writingBack(folder, work)).resolves.toBe(7);
  const broken = writingBack(join(folder, 'gone'), () => Promise.reject(new Error('the load broke')));
  await expect(broken).rejects.toThrow('the load broke');
});
