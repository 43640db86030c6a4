import { readFile } from 'node:fs/promises';
import { messageOf, PermanentError } from './errors.js';

/**
 * Reads the secret that a reference names. Only called where the secret is used: inside activities, never in workflows
 * and never for output.
 *
 * @param reference `env:NAME` or `file:/absolute/path` (a trailing line break is dropped)
 * @throws PermanentError `SecretMissing` naming the reference, never the value
 */
export function resolveSecret(reference: string): Promise<string> {
  return resolveSecretIn(process.env, reference);
}

/** The same, with another environment to look up `env:NAME` in. */
export async function resolveSecretIn(
  env: Readonly<Record<string, string | undefined>>,
  reference: string,
): Promise<string> {
  const value = reference.startsWith('env:')
    ? env[reference.slice('env:'.length)]
    : await readSecretFile(reference);
  if (value === undefined || value === '') {
    throw new PermanentError('SecretMissing', `The secret ${reference} is not there or empty.`, {
      next: 'Provide it where the worker runs, then retry the step.',
    });
  }
  return value;
}

async function readSecretFile(reference: string): Promise<string> {
  try {
    return (await readFile(reference.slice('file:'.length), 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new PermanentError(
      'SecretMissing',
      `The secret ${reference} cannot be read: ${messageOf(error)}.`,
      {
        next: 'Provide the file, readable for the account that the worker runs under, then retry the step.',
        cause: error,
      },
    );
  }
}
