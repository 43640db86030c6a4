/** What `ssh-keygen -Y` says of a signature: ssh-keygen(1), OpenSSH 8.2 and later. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MusterError, messageOf, TransientError } from '../../src/errors.js';
import type { SshKey } from '../../src/people/keys.js';
import { NAMESPACE } from '../../src/people/prove.js';
import { type RunOutcome, runTool } from '../../src/process.js';

/** It takes 5 ms; a machine that is busy with a restore takes longer. */
const TIMEOUT_MS = 10_000;
/** The name in the file of allowed signers: there is one person in it, so it need not be theirs. */
const IDENTITY = 'person';

const BEGIN = '-----BEGIN SSH SIGNATURE-----';
const END = '-----END SSH SIGNATURE-----';

/**
 * The signature as `ssh-keygen` writes it, with its bytes; line breaks that a form swallowed are put back.
 * @returns undefined for what is no armoured signature
 */
export function armoured(text: string): { readonly text: string; readonly bytes: Buffer } | undefined {
  if (!text.startsWith(BEGIN) || !text.endsWith(END) || text.length < BEGIN.length + END.length)
    return undefined;
  const body = text.slice(BEGIN.length, -END.length).replace(/\\n|\s/g, '');
  const bytes = Buffer.from(body, 'base64');
  if (bytes.toString('base64') !== body || bytes.subarray(0, 6).toString('latin1') !== 'SSHSIG')
    return undefined;
  const lines = body.match(/.{1,70}/g) ?? [];
  return { text: `${[BEGIN, ...lines, END].join('\n')}\n`, bytes };
}

/** Whether the signature is over `content`, by one of these keys, for Muster. */
export async function verifiedBySshKeygen(
  signature: string,
  content: Buffer,
  keys: readonly SshKey[],
  signal: AbortSignal,
): Promise<boolean> {
  const signers = keys.map(({ type, blob }) => `${IDENTITY} namespaces="${NAMESPACE}" ${type} ${blob}\n`);
  const { exitCode } = await sshKeygen(signature, content, signal, async (folder) => {
    const allowed = join(folder, 'allowed_signers');
    await writeFile(allowed, signers.join(''), { mode: 0o600 });
    return ['verify', '-f', allowed, '-I', IDENTITY];
  });
  return exitCode === 0;
}

/** Fingerprint of the key that the signature over `content` was made with; undefined when it is not over it. */
export async function signerOf(
  signature: string,
  content: Buffer,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { exitCode, stdout } = await sshKeygen(signature, content, signal, async () => ['check-novalidate']);
  return exitCode === 0 ? (/SHA256:[A-Za-z0-9+/]+/.exec(stdout)?.[0] ?? 'of somebody else') : undefined;
}

async function sshKeygen(
  signature: string,
  content: Buffer,
  signal: AbortSignal,
  how: (folder: string) => Promise<readonly string[]>,
): Promise<RunOutcome> {
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), 'muster-proof-'));
    const file = join(folder, 'signature');
    await writeFile(file, signature, { mode: 0o600 });
    const [action = '', ...options] = await how(folder);
    return await runTool('ssh-keygen', ['-Y', action, '-n', NAMESPACE, '-s', file, ...options], {
      timeoutMs: TIMEOUT_MS,
      signal,
      input: content.toString('utf8'),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof MusterError && error.code === 'ToolMissing') throw error;
    throw new TransientError('ProofCheckFailed', `A signature could not be checked: ${messageOf(error)}.`, {
      next: `See whether ${tmpdir()} takes files and ssh-keygen runs where the worker does; it is tried again.`,
      cause: error,
    });
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}
