import { resolveSecret } from '../../src/secrets.js';

/** The environment of an owner's program, and what of it must never be repeated. */
export interface Resolved {
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** @throws PermanentError `SecretMissing` */
export async function resolveEnvironment(environment: Readonly<Record<string, string>>): Promise<Resolved> {
  const env: Record<string, string> = {};
  const secrets: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    const isReference = /^(env:[A-Za-z_]|file:\/)/.test(value);
    env[name] = isReference ? await resolveSecret(value) : value;
    if (isReference) secrets.push(env[name]);
  }
  return { env, secrets };
}

/** The text without any of the secrets. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((said, secret) => said.replaceAll(secret, '***'), text);
}
