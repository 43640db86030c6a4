import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeFolder } from '../../lab/folders.js';

test('a folder goes with everything in it, also what its owner may not write to, and needs not be there', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'muster-folders-')), 'lab');
  const kept = join(folder, 'quarantine', 'data');
  mkdirSync(kept, { recursive: true });
  writeFileSync(join(kept, 'PG_VERSION'), '15\n');
  writeFileSync(join(folder, '.mark'), '');
  await chmod(kept, 0o500);
  await removeFolder(folder, join(folder, '.mark'));
  expect(existsSync(folder)).toBe(false);
  await removeFolder(folder, join(folder, '.mark'));
  await removeFolder(join(folder, '..'), join(folder, '.mark'));
});
