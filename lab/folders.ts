import { access, chmod, chown, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Account } from './account.js';

/** Makes a folder through which every account may pass, with its missing parents, whatever the caller's umask says. */
export async function makeOpenFolder(folder: string): Promise<void> {
  const topmost = await mkdir(folder, { recursive: true });
  if (!topmost) return;
  for (let made = folder; made.length >= topmost.length; made = dirname(made)) await chmod(made, 0o755);
}

/** Makes a folder for the account alone. */
export async function makePrivateFolder(folder: string, account: Account): Promise<void> {
  await makeOpenFolder(dirname(folder));
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o700);
  await chown(folder, account.uid, account.gid);
}

/** Whether something is there. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Removes a folder with all that is in it, folders that even their owner may not write to (quarantine) among it. What shows
 * whose folder it is goes last: an interrupted removal can be taken up again.
 *
 * @param mark file in the folder
 */
export async function removeFolder(folder: string, mark: string): Promise<void> {
  if (!(await exists(folder))) return;
  await makeWritable(folder);
  for (const name of await readdir(folder)) {
    if (join(folder, name) !== mark)
      await rm(join(folder, name), { recursive: true, force: true, maxRetries: 5 });
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function makeWritable(folder: string): Promise<void> {
  // Root may do anything; for everybody else all of a lab is their own.
  if (process.getuid?.() === 0) return;
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
  }
}
