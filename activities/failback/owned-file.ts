import { chown, writeFile } from 'node:fs/promises';
import { accountIds } from '../../src/process.js';

/** Writes a file that the server's account can read, and waits until it is on disk. */
export async function writeOwnedFile(path: string, text: string, account: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flush: true });
  const ids = accountIds(account);
  if (ids.switch) await chown(path, ids.uid, ids.gid);
}
