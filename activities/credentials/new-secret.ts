/** A new password, made where it is kept: it is in no history, no log, and no other file. */
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, PermanentError } from '../../src/errors.js';
import { resolveSecret } from '../../src/secrets.js';

/**
 * Makes the secret, or finds the one that an earlier attempt made.
 *
 * @param reference `file:/absolute/path`
 * @param notBefore when the run promoted, ISO 8601: what is older was not made by it, and may be known to the intruder
 * @returns the secret
 * @throws PermanentError `NewSecretNotFresh`, `NewSecretNotWritten`
 */
export async function newSecret(reference: string, notBefore: string): Promise<string> {
  const path = reference.slice('file:'.length);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${randomBytes(32).toString('base64url')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    // Whoever owns the folder reads what is in it.
    const { uid, gid } = await stat(dirname(path));
    if (process.getuid?.() === 0) await chown(path, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new PermanentError('NewSecretNotWritten', `${path} cannot be written: ${messageOf(error)}.`, {
        next: 'Make its folder writable for the account that the worker runs under, then retry the step.',
        cause: error,
      });
    }
    await requireFresh(path, notBefore);
  }
  return resolveSecret(reference);
}

async function requireFresh(path: string, notBefore: string): Promise<void> {
  const { mtimeMs, size } = await stat(path);
  if (mtimeMs >= Date.parse(notBefore) && size > 0) return;
  throw new PermanentError('NewSecretNotFresh', `${path} was there before this run needed it.`, {
    why: 'A password that lay around during the breach is not a new one.',
    next: 'Move the file away, then retry the step: a new one is made.',
  });
}
