/** What a runbook names and does not hold: secrets and files that have to be there where the recovery runs. */
import type { Runbook } from '../runbook/schema.js';

export interface Need {
  /** `file:/path`, `env:NAME`, or the path of a file that is no secret. */
  readonly reference: string;
  /** Fields of the runbook that name it: `sites.west.postgres.admin.password`. */
  readonly fields: readonly string[];
}

export interface Needs {
  readonly secrets: readonly Need[];
  /** Configuration and certificates. */
  readonly files: readonly Need[];
}

const SECRET = /^(env:[A-Za-z_]\w*|file:\/.+)$/;
/** Where a recovery writes a secret that it makes. */
const MADE_BY_A_RUN = 'newPassword';
const CONFIGURATION = /^(ca|\w*(File|Certificate|Config))$/;

/** Every reference of the runbook, each once, in the order in which it is met. */
export function needsOf(runbook: Runbook): Needs {
  const secrets = new Map<string, string[]>();
  const files = new Map<string, string[]>();
  walk(runbook, [], (text, path) => {
    const field = String(path.at(-1));
    if (field === MADE_BY_A_RUN) return;
    if (SECRET.test(text)) remember(secrets, text, path);
    else if (text.startsWith('/') && CONFIGURATION.test(field) && field !== 'logFile')
      remember(files, text, path);
  });
  return { secrets: listed(secrets), files: listed(files) };
}

function walk(
  value: unknown,
  path: readonly (string | number)[],
  see: (text: string, path: readonly (string | number)[]) => void,
): void {
  if (typeof value === 'string') see(value, path);
  else if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) walk(each, [...path, index], see);
  } else if (value !== null && typeof value === 'object') {
    for (const [key, each] of Object.entries(value)) walk(each, [...path, key], see);
  }
}

function remember(found: Map<string, string[]>, text: string, path: readonly (string | number)[]): void {
  found.set(text, [...(found.get(text) ?? []), path.join('.')]);
}

function listed(found: ReadonlyMap<string, readonly string[]>): Need[] {
  return [...found].map(([reference, fields]) => ({ reference, fields }));
}
