/** People with real keys, made by openssl and ssh-keygen, and an authenticator. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statementOf } from '../../src/model/decision.js';
import type { Person } from '../../src/runbook/schema.js';

export interface KeyFolder {
  readonly path: string;
  /** An OpenSSH pair without a passphrase. */
  sshKey(type: 'ed25519' | 'rsa' | 'ecdsa'): { readonly file: string; readonly publicKey: string };
  /** An Ed25519 pair in PEM. */
  pemKey(): { readonly file: string; readonly publicKey: string };
  /** What `ssh-keygen -Y sign` makes of a text. */
  signSsh(key: string, text: string, namespace?: string): string;
  /** What `openssl pkeyutl` makes of a text, in Base64. */
  signEd25519(key: string, text: string): string;
  /** @returns a reference to the secret */
  secret(name: string, value: string): string;
  remove(): void;
}

export function keyFolder(): KeyFolder {
  const path = mkdtempSync(join(tmpdir(), 'muster-keys-'));
  let count = 0;
  const next = (name: string) => join(path, `${name}-${++count}`);
  const quiet = { stdio: ['pipe', 'pipe', 'ignore'] as ['pipe', 'pipe', 'ignore'] };
  return {
    path,
    sshKey: (type) => {
      const file = next(`id_${type}`);
      execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'a key of the tests', '-f', file], quiet);
      return { file, publicKey: readFileSync(`${file}.pub`, 'utf8').trim() };
    },
    pemKey: () => {
      const file = next('key.pem');
      execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', file], quiet);
      return {
        file,
        publicKey: execFileSync('openssl', ['pkey', '-in', file, '-pubout'], { ...quiet, encoding: 'utf8' }),
      };
    },
    signSsh: (key, text, namespace = 'muster') =>
      execFileSync('ssh-keygen', ['-Y', 'sign', '-f', key, '-n', namespace], {
        ...quiet,
        input: text,
        encoding: 'utf8',
      }),
    signEd25519: (key, text) => {
      const file = next('text');
      writeFileSync(file, text);
      const args = ['pkeyutl', '-sign', '-rawin', '-inkey', key, '-in', file];
      return execFileSync('openssl', args, quiet).toString('base64');
    },
    secret: (name, value) => {
      const file = next(name);
      writeFileSync(file, `${value}\n`, { mode: 0o600 });
      return `file:${file}`;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

export const RUN = { runId: 'payymo-1', system: 'payymo', scenario: 'corruption', mode: 'drill' } as const;
export const NOW_MS = Date.parse('2026-11-21T03:04:05.678Z');
export const NOW = new Date(NOW_MS).toISOString();

export function personWith(proofs?: Partial<NonNullable<Person['proofs']>>): Person {
  return {
    name: 'database-lead',
    roles: ['database-lead'],
    contacts: [],
    ...(proofs === undefined ? {} : { proofs: { keys: [], ...proofs } }),
  };
}

/** A statement of database-lead's, with what is to be different. */
export function statementWith(different: Readonly<Record<string, unknown>> = {}): string {
  const { runId, opening, at, ...decision } = {
    runId: RUN.runId,
    opening: '2026-11-21T03:01:00.000Z',
    at: NOW,
    on: 'promote',
    choice: 'approve' as const,
    by: 'database-lead',
    ...different,
  };
  return statementOf({ runId, opening, at, planHash: 'a'.repeat(64), decision });
}
