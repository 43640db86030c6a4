import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Every secret of the lab: the name of its file and how a fresh one is made. */
const MAKERS = {
  'signing-key': () => hex(32),
  'backup-west-passphrase': () => hex(32),
  'backup-east-passphrase': () => hex(32),
  's3-west-access-key-id': () => `WEST${hex(8).toUpperCase()}`,
  's3-west-secret-access-key': () => hex(20),
  's3-east-access-key-id': () => `EAST${hex(8).toUpperCase()}`,
  's3-east-secret-access-key': () => hex(20),
  'route53-access-key-id': () => `DNS${hex(8).toUpperCase()}`,
  'route53-secret-access-key': () => hex(20),
  'ledger-admin-password': () => hex(16),
  'ledger-app-password': () => hex(16),
  'ledger-deploy-password': () => hex(16),
  'store-password': () => hex(16),
} as const;

export type SecretName = keyof typeof MAKERS;
export type Secrets = Readonly<Record<SecretName, string>>;

function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

/** A password that nobody has seen. */
export function newPassword(): string {
  return hex(16);
}

/** Makes a full set of secrets in `folder` (0700), one file each (0600). */
export async function makeSecrets(folder: string): Promise<Secrets> {
  const made = Object.fromEntries(Object.entries(MAKERS).map(([name, make]) => [name, make()]));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [name, value] of Object.entries(made)) await writeSecret(folder, name, value);
  return made as Secrets;
}

/** Reads the set that `makeSecrets` made. */
export async function readSecrets(folder: string): Promise<Secrets> {
  const names = Object.keys(MAKERS) as SecretName[];
  const values = await Promise.all(
    names.map(async (name) => [name, (await readFile(join(folder, name), 'utf8')).trim()] as const),
  );
  return Object.fromEntries(values) as Secrets;
}

/** Writes one secret file, readable for its owner alone, and returns the reference to it. */
export async function writeSecret(folder: string, name: string, value: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, `${value}\n`, { mode: 0o600 });
  return `file:${file}`;
}

/** The reference by which a secret of this lab is named outside. */
export function secretReference(folder: string, name: SecretName): string {
  return `file:${join(folder, name)}`;
}
