import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeWhole, withLock } from '../../setup/lock.mjs';
import { temporaryFolder } from './support.js';

describe('a lock', () => {
  test('lets one in at a time and tells the other whom it waits for', async () => {
    const file = path.join(temporaryFolder(), 'locks', 'part.lock');
    const order: string[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = withLock(file, async () => {
      order.push('first in');
      await held;
      order.push('first out');
    });
    const waiting = (holder: string) => {
      order.push(`waits for ${holder}`);
      release();
    };
    const second = withLock(file, async () => order.push('second in'), waiting);
    await Promise.all([first, second]);
    expect(order).toEqual(['first in', `waits for ${process.pid}`, 'first out', 'second in']);
    expect(existsSync(file)).toBe(false);
  });

  test('is given back when the work fails', async () => {
    const file = path.join(temporaryFolder(), 'part.lock');
    await expect(withLock(file, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(withLock(file, async () => 'taken')).resolves.toBe('taken');
  });

  test('is taken over from a process that is gone, and from one whose number is used again', async () => {
    const file = path.join(temporaryFolder(), 'part.lock');
    const gone = spawnSync(process.execPath, ['-e', 'console.log(process.pid)'], { encoding: 'utf8' });
    writeFileSync(file, `${gone.stdout.trim()} 1`);
    await expect(withLock(file, async () => 'taken')).resolves.toBe('taken');
    writeFileSync(file, `${process.pid} 1`);
    await expect(withLock(file, async () => 'taken')).resolves.toBe('taken');
  });
});

describe('a folder made whole', () => {
  test('appears only when it is complete, and replaces the one before', async () => {
    const target = path.join(temporaryFolder(), 'part-1.0');
    mkdirSync(target);
    writeFileSync(path.join(target, 'old'), '');
    await makeWhole(target, async (draft) => {
      writeFileSync(path.join(draft, 'new'), '');
      expect(readdirSync(target)).toEqual(['old']);
    });
    expect(readdirSync(target)).toEqual(['new']);
    expect(readdirSync(path.dirname(target))).toEqual(['part-1.0']);
  });

  test('leaves nothing behind when it fails', async () => {
    const target = path.join(temporaryFolder(), 'part-1.0');
    const half = makeWhole(target, async (draft) => {
      writeFileSync(path.join(draft, 'half'), '');
      throw new Error('interrupted');
    });
    await expect(half).rejects.toThrow('interrupted');
    expect(readdirSync(path.dirname(target))).toEqual([]);
  });

  test('leaves nothing behind when its process is ended, and removes what one that was killed left', async () => {
    const target = path.join(temporaryFolder(), 'part-1.0');
    const script = `
      const { makeWhole } = await import(${JSON.stringify(path.resolve('setup/lock.mjs'))});
      await makeWhole(${JSON.stringify(target)}, async () => {
        process.kill(process.pid, process.argv[1]);
        await new Promise((resolve) => setTimeout(resolve, 30_000));
      });`;
    const interrupted = (signal: string) =>
      spawnSync(process.execPath, ['--input-type=module', '-e', script, signal], { encoding: 'utf8' });
    expect(interrupted('SIGTERM')).toMatchObject({ status: 143, stderr: '' });
    expect(readdirSync(path.dirname(target))).toEqual([]);

    interrupted('SIGKILL');
    expect(readdirSync(path.dirname(target))).toEqual([expect.stringMatching(/^part-1\.0\.part-\d+$/)]);
    await makeWhole(target, async (draft) => writeFileSync(path.join(draft, 'whole'), 'yes'));
    expect(readdirSync(path.dirname(target))).toEqual(['part-1.0']);
    expect(readFileSync(path.join(target, 'whole'), 'utf8')).toBe('yes');
  });
});
