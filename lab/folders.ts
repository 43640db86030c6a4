import { access, chmod, chown, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
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
