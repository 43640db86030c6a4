/** Trying what the application is for, as with curl. */
import { randomUUID } from 'node:crypto';
import type { Application } from '../../src/runbook/schema.js';
import { must } from './shell.js';

/** Tries the business functions of the runbook; `readOnly`: only those that change nothing. */
export async function tryFunctions(
  { functions }: Application,
  baseUrl: string,
  which: { readonly readOnly?: true } = {},
): Promise<void> {
  for (const tried of functions) {
    if (which.readOnly === true && !tried.readOnly) continue;
    const uuid = randomUUID();
    for (const { method, path, body, expectStatus, expectBody = {} } of tried.exchanges) {
      const filled = (text: string) => text.replaceAll('{{uuid}}', uuid);
      const answer = await fetch(`${baseUrl}${filled(path)}`, {
        method,
        headers: { connection: 'close', 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: filled(JSON.stringify(body)) }),
      });
      const said = (await answer.json()) as Record<string, unknown>;
      must(answer.status === expectStatus, `${method} ${path} answers ${expectStatus} (${answer.status})`);
      for (const [field, expected] of Object.entries(JSON.parse(filled(JSON.stringify(expectBody))))) {
        must(said[field] === expected, `${method} ${path} answers ${field} ${expected}`);
      }
    }
  }
}
