import type { PostgresSite } from '../../src/runbook/schema.js';

/** The database in which logins are tried on a sealed copy: there the administrator needs the password too. */
export function trialDatabase({ database }: Pick<PostgresSite, 'database'>): string {
  return database === 'postgres' ? 'template1' : 'postgres';
}
