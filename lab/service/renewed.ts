/** New passwords that a deployment is told of, by what Muster tells the programs of owners on standard input. */
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { LoginState } from '../state.js';

/** References by the names of the users. Empty where nothing was exchanged. */
export async function renewedLogins(): Promise<Readonly<Record<string, string>>> {
  const told = process.stdin.isTTY ? '' : await text(process.stdin);
  if (told.trim() === '') return {};
  const credentials = z.record(z.string(), z.string()).default({});
  const inputs = z.object({ credentials }).default({ credentials: {} });
  return z.object({ inputs }).parse(JSON.parse(told)).inputs.credentials;
}

/** The login with its new password, where it has one. */
export function renew(login: LoginState, renewed: Readonly<Record<string, string>>): LoginState {
  return { ...login, password: renewed[login.user] ?? login.password };
}
