/**
 * The sender's side of a proof: a statement is signed with the person's own key, and the code of their authenticator goes along.
 * Nothing of a private key leaves this process; keys of OpenSSH do not even enter it.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { InputError, messageOf, PermanentError } from '../errors.js';
import type { Proof } from '../model/decision.js';
import { runTool } from '../process.js';
import type { DemandedProof } from './demanded.js';

/** Keeps a signature for Muster from counting elsewhere, and the other way round. */
export const NAMESPACE = 'muster';

/** With what somebody at this machine can prove who they are. */
export interface Means {
  /** Private key: Ed25519 in PEM, or a key of OpenSSH, whose public half is enough where an agent holds the other. */
  readonly keyFile?: string;
  /** What named the key: `--key` or `MUSTER_KEY`. */
  readonly keyNamedBy?: string;
  /** Digits that the authenticator shows. */
  readonly totp?: string;
  /** Asks the person for the code; only where one sits at a terminal. */
  readonly askCode?: () => Promise<string>;
}

export interface GivenMeans {
  /** `--key`. */
  readonly key?: string;
  /** `--totp`. */
  readonly totp?: string;
}

/**
 * The means that a command line and its environment give: `--key`, else `MUSTER_KEY`; `--totp`, which has no counterpart in the
 * environment because a code counts once.
 *
 * @param cwd against which a relative path is read; `~/` is the home folder
 * @param askCode hook for a terminal
 * @throws InputError for a `--totp` that is no code
 */
export function meansFrom(
  given: GivenMeans,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  askCode?: () => Promise<string>,
): Means {
  const key = given.key ?? (env.MUSTER_KEY === '' ? undefined : env.MUSTER_KEY);
  const expanded = key?.startsWith('~/') ? join(homedir(), key.slice(2)) : key;
  return {
    ...(expanded === undefined
      ? {}
      : {
          keyFile: isAbsolute(expanded) ? expanded : resolve(cwd, expanded),
          keyNamedBy: given.key === undefined ? 'MUSTER_KEY' : '--key',
        }),
    ...(given.totp === undefined ? {} : { totp: codeFrom(given.totp) }),
    ...(askCode === undefined ? {} : { askCode }),
  };
}

/** @throws InputError unless it is six digits; blanks between them are dropped */
export function codeFrom(given: string, field = '--totp'): string {
  const code = given.replace(/\s/g, '');
  if (/^\d{6}$/.test(code)) return code;
  throw new InputError('That is no code of an authenticator.', [
    { field, given: `${given.length} characters`, allowed: 'the 6 digits that the authenticator shows' },
  ]);
}

/**
 * Makes the proof of a decision.
 *
 * @param statementAt the text to sign, for the moment it is given: see `statementFor`
 * @param means what the person has here
 * @param demanded what is asked of the person, where their roster is known: see `demandedProof`. Left out: everything that
 *   the means give is used, and nobody is asked
 * @returns undefined where no proof is asked for, or where nothing is known and there is nothing to prove with
 * @throws InputError when what is demanded is not there, before anything is sent
 * @throws PermanentError `KeyUnusable` when the key cannot sign; `ToolMissing` without ssh-keygen for keys of OpenSSH
 */
export async function prove(
  statementAt: (at: string) => string,
  means: Means,
  demanded?: DemandedProof,
): Promise<Proof | undefined> {
  // Where nothing would do, the run itself says so better.
  const known = demanded?.impossible === undefined ? demanded : undefined;
  const wantsSignature = known === undefined ? means.keyFile !== undefined : known.signature;
  const wantsCode = known === undefined ? means.totp !== undefined : known.code;
  if (!wantsSignature && !wantsCode) return undefined;
  if (wantsSignature && means.keyFile === undefined) {
    throw new InputError('The roster asks for a signature, and no key is named; nothing was sent.', [
      {
        field: '--key',
        given: 'nothing',
        allowed: 'the file of your private key (or MUSTER_KEY in the environment)',
      },
    ]);
  }
  if (wantsCode && means.totp === undefined && means.askCode === undefined) {
    throw new InputError('The code of your authenticator is asked for; nothing was sent.', [
      { field: '--totp', given: 'nothing', allowed: 'the 6 digits that it shows now' },
    ]);
  }
  // Asked for before the time is taken: a person at a terminal may take a while.
  const totp = wantsCode ? (means.totp ?? codeFrom((await means.askCode?.()) ?? '', 'code')) : undefined;
  const at = new Date().toISOString();
  const signature =
    wantsSignature && means.keyFile !== undefined
      ? await signStatement(statementAt(at), means.keyFile)
      : undefined;
  return { at, ...(totp === undefined ? {} : { totp }), ...(signature === undefined ? {} : { signature }) };
}

/** `ssh-keygen` may ask for a passphrase, or for the touch of a hardware key. */
const SIGNING_MS = 60_000;

/**
 * Signs a text: with an Ed25519 key in PEM here, in Base64; with anything else by `ssh-keygen -Y sign` (OpenSSH 8.2 or later),
 * armoured. That asks an agent by itself (`SSH_AUTH_SOCK`), and a person for the passphrase by `SSH_ASKPASS`, where there is one.
 *
 * @throws PermanentError `KeyUnusable`, `ToolMissing`
 */
export async function signStatement(statement: string, keyFile: string): Promise<string> {
  const key = await readEd25519(keyFile);
  if (key !== undefined) return sign(null, Buffer.from(statement), key).toString('base64');
  const outcome = await runTool('ssh-keygen', ['-Y', 'sign', '-q', '-n', NAMESPACE, '-f', keyFile], {
    timeoutMs: SIGNING_MS,
    env: agentOf(process.env),
    input: statement,
  });
  if (outcome.exitCode !== 0 || !outcome.stdout.startsWith('-----BEGIN SSH SIGNATURE-----')) {
    throw unusable(keyFile, outcome.stderr.trim() || `ssh-keygen ended with ${outcome.exitCode}`);
  }
  return outcome.stdout;
}

/** undefined: a key of OpenSSH, to which ssh-keygen is asked. */
async function readEd25519(file: string): Promise<KeyObject | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw unusable(file, messageOf(error), error);
  }
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----/m.test(text)) {
    throw unusable(file, 'it is encrypted; sign by hand with openssl, or use a key of OpenSSH with an agent');
  }
  if (!/^-----BEGIN PRIVATE KEY-----/m.test(text)) return undefined;
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (error) {
    throw unusable(file, 'it cannot be read as PEM', error);
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw unusable(file, `it is ${key.asymmetricKeyType}, not Ed25519`);
  return key;
}

/** What ssh-keygen needs to reach an agent and the person at the screen; nothing else of the environment. */
function agentOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const names = [
    'SSH_AUTH_SOCK',
    'SSH_ASKPASS',
    'SSH_ASKPASS_REQUIRE',
    'SSH_SK_PROVIDER',
    'DISPLAY',
    'WAYLAND_DISPLAY',
  ];
  return Object.fromEntries(
    names.flatMap((name): [string, string][] => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function unusable(file: string, why: string, cause?: unknown): PermanentError {
  return new PermanentError('KeyUnusable', `The key ${file} cannot sign: ${why}.`, {
    next: 'Name the private half of a key that stands for you in the runbook with --key or MUSTER_KEY; where an agent holds it, its .pub file. Nothing was sent.',
    cause,
  });
}
