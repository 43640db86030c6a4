/** New authenticators and keys: the secret goes into a file, the rest to whoever enrolls. */
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { renderUnicodeCompact } from 'uqr';
import { InputError, messageOf, RefusedError } from '../errors.js';
import { fileNameOf } from '../home.js';
import { newKeyPair } from '../people/keys.js';
import { Authenticator, newTotpSecret } from '../people/totp.js';
import type { CliContext } from './context.js';

export interface EnrollOptions {
  readonly totp?: true;
  readonly key?: true;
  readonly folder?: string;
}

/** What authenticators show above the code. */
const ISSUER = 'Muster';

/**
 * @throws InputError when both are asked for, or the folder takes no file; RefusedError `WouldReplace` when the file is there
 */
export async function enroll(context: CliContext, name: string, options: EnrollOptions): Promise<void> {
  if (options.totp && options.key) {
    throw new InputError('One thing is made at a time.', [
      { field: '--totp, --key', given: 'both', allowed: 'one of them' },
    ]);
  }
  const given = (options.folder ?? '.').replace(/^~(?=\/|$)/, homedir());
  const folder = resolve(context.world.cwd, given);
  await (options.key ? enrollKey : enrollTotp)(context, name, folder);
}

async function enrollTotp(context: CliContext, name: string, folder: string): Promise<void> {
  const secret = newTotpSecret();
  const file = await save(folder, `${fileNameOf(name)}-totp`, `${secret}\n`);
  const uri = new Authenticator(secret, `file:${file}`).uri(name, ISSUER);
  const result = { name, file, uri, runbook: { proofs: { totp: `file:${file}` } } };
  context.out.result(result, (colors) =>
    [
      `The secret of ${name}'s new authenticator is in ${file}, for its owner alone.`,
      '',
      colors.bold(
        `${name} scans this, or types the address in, now: it is not shown again. It is as good as the secret.`,
      ),
      ...(context.out.interactive ? [renderUnicodeCompact(uri)] : []),
      uri,
      '',
      colors.bold('In the runbook, under the person:'),
      '    proofs:',
      `      totp: file:${file}`,
      '',
      'The worker reads the file under that path: bring it to where the worker runs, readable for its account alone.',
    ].join('\n'),
  );
}

async function enrollKey(context: CliContext, name: string, folder: string): Promise<void> {
  const { privateKey, publicKey } = newKeyPair();
  const file = await save(folder, `${fileNameOf(name)}-key.pem`, privateKey);
  const result = { name, file, runbook: { proofs: { keys: [publicKey] } } };
  context.out.result(result, (colors) =>
    [
      `The private key of ${name} is in ${file}: it stays with ${name}, who decides with --key ${file} or MUSTER_KEY.`,
      '',
      colors.bold('In the runbook, under the person:'),
      '    proofs:',
      '      keys:',
      '        - |',
      ...publicKey
        .trim()
        .split('\n')
        .map((line) => `          ${line}`),
    ].join('\n'),
  );
}

/** Never replaces: somebody's way to prove who they are would be gone. */
async function save(folder: string, name: string, content: string): Promise<string> {
  const file = join(folder, name);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(file, content, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new RefusedError('WouldReplace', `${file} is there already; nothing was changed.`, {
        next: 'Move it away, once nobody decides with it any more, or name another folder with --folder.',
        cause: error,
      });
    }
    throw new InputError('The file cannot be made there; nothing was changed.', [
      { field: '--folder', given: folder, allowed: `a folder that can be written (${messageOf(error)})` },
    ]);
  }
  return file;
}
