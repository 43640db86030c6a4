/** What a decision has to look like, whoever sent it: the Temporal UI and scripts send whatever they like. */
import { type Decision, decisionChoices } from '../../src/model/decision.js';

/** Characters at most: what is decided is kept in every record of the run and has to fit into its messages. */
const longest = { on: 100, choice: 20, by: 200, reason: 2_000, to: 200, planHash: 100 } as const;
const needed: readonly string[] = ['on', 'choice', 'by'];
const nested = {
  proof: { at: 40, totp: 20, signature: 8_000 },
  origin: { address: 200, agent: 200 },
} as const;
const MOST_CHANGES = 5;

/** @returns what is wrong with it; undefined for a well-formed one */
export function malformation(decision: Decision): string | undefined {
  if (!isObject(decision)) return 'A decision is an object with on, choice and by.';
  const fields = decision as unknown as Record<string, unknown>;
  const known = [...Object.keys(longest), 'change', 'proof', 'origin'];
  const unknown = Object.keys(fields).find((field) => !known.includes(field));
  if (unknown !== undefined) {
    return `A decision has no ${short(unknown)}. It has: ${known.join(', ')}.`;
  }
  for (const [field, most] of Object.entries(longest)) {
    const value = fields[field];
    if (needed.includes(field) && (typeof value !== 'string' || value.trim() === ''))
      return `A decision needs ${field}, a text.`;
    const wrong = wrongText(field, value, most);
    if (wrong !== undefined) return wrong;
  }
  if (!(decisionChoices as readonly string[]).includes(decision.choice)) {
    return `${decision.choice} is not a choice. Choices: ${decisionChoices.join(', ')}.`;
  }
  return wrongChange(fields.change) ?? wrongNested(fields, 'proof') ?? wrongNested(fields, 'origin');
}

function wrongText(field: string, value: unknown, most: number): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') return `${field} of a decision is a text.`;
  return value.length > most
    ? `${field} of a decision has ${most} characters at most; these are ${value.length}.`
    : undefined;
}

function wrongChange(change: unknown): string | undefined {
  if (change === undefined) return undefined;
  const entries = isObject(change) ? Object.entries(change) : [];
  if (entries.length === 0 || entries.length > MOST_CHANGES) {
    return 'change of a decision names the inputs to replace, for instance {"point": "2026-03-01T02:59:39Z"}.';
  }
  return entries.map(([name, value]) => wrongText(`change.${short(name)}`, value ?? null, 500)).find(Boolean);
}

function wrongNested(
  fields: Readonly<Record<string, unknown>>,
  name: keyof typeof nested,
): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  const allowed: Readonly<Record<string, number>> = nested[name];
  if (!isObject(value)) return `${name} of a decision is an object with ${Object.keys(allowed).join(', ')}.`;
  for (const [field, text] of Object.entries(value)) {
    const most = allowed[field];
    if (most === undefined) return `${name} of a decision has no ${short(field)}.`;
    const wrong = wrongText(`${name}.${field}`, text ?? null, most);
    if (wrong !== undefined) return wrong;
  }
  return name === 'proof' && typeof (value as { at?: unknown }).at !== 'string'
    ? 'proof of a decision needs at, the time at which it was made.'
    : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function short(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}
