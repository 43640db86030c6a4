/**
 * An anchor: entries of a run's journal in their chain, with the chain's head, signed. It is kept under object lock at
 * another site, so that the journal can be read and checked from there alone, with nothing but the public key.
 *
 * The signature is Ed25519 (RFC 8032) over the canonical JSON (RFC 8785) of the document without `signature`.
 */
import { type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { fingerprintOf, readPublicKey, type SigningKey } from '../evidence/key.js';
import { canonicalJson } from '../model/canonical-json.js';
import { type ChainedEntry, entryHash, type JournalBody } from './chain.js';

export const ANCHOR_FORMAT = 'muster-journal-anchor/1';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const bodySchema = z.looseObject({
  runId: z.string().min(1),
  system: z.string(),
  scenario: z.string(),
  mode: z.enum(['real', 'drill']),
  adoption: z.number().int().min(1).optional(),
  index: z.number().int().min(1),
  at: z.string(),
  kind: z.string(),
  text: z.string(),
  facts: z.array(z.object({ label: z.string(), value: z.string() })),
});

const documentSchema = z.strictObject({
  format: z.literal(ANCHOR_FORMAT),
  runId: z.string().min(1),
  system: z.string().min(1),
  /** How often the run had been taken over by another server. */
  adoption: z.number().int().min(0),
  from: z.number().int().min(1),
  to: z.number().int().min(1),
  entries: z.array(z.strictObject({ body: bodySchema, previousHash: hash, hash })).min(1),
  head: z.strictObject({ entries: z.number().int().min(1), hash }),
  anchoredAt: z.string(),
  signedBy: z.strictObject({ fingerprint: hash, publicKeyPem: z.string() }),
  signature: z.string(),
});

export interface AnchorDocument extends Omit<z.output<typeof documentSchema>, 'entries'> {
  readonly entries: readonly ChainedEntry[];
}

const digits = (value: number, count: number) => String(value).padStart(count, '0');

/** Where all anchors of a run are. */
export function anchorPrefix(runId: string): string {
  return `journal/${runId}/`;
}

/** Names say which entries an anchor holds; sorted, they are in the order of the journal. */
export function anchorKey(of: Pick<AnchorDocument, 'runId' | 'adoption' | 'from' | 'to'>): string {
  return `${anchorPrefix(of.runId)}${digits(of.adoption, 3)}/${digits(of.from, 6)}-${digits(of.to, 6)}.json`;
}

/** @param entries neighbours in the chain, of one run and one adoption */
export function makeAnchor(entries: readonly ChainedEntry[], key: SigningKey, at: Date): AnchorDocument {
  const first = entries[0];
  const last = entries.at(-1);
  if (first === undefined || last === undefined) throw new RangeError('An anchor holds an entry at least.');
  const document: Omit<AnchorDocument, 'signature'> = {
    format: ANCHOR_FORMAT,
    runId: first.body.runId,
    system: first.body.system,
    adoption: first.body.adoption ?? 0,
    from: first.body.index,
    to: last.body.index,
    entries,
    head: { entries: last.body.index, hash: last.hash },
    anchoredAt: at.toISOString(),
    signedBy: { fingerprint: key.fingerprint, publicKeyPem: key.publicKeyPem },
  };
  const signature = sign(null, Buffer.from(canonicalJson(document)), key.privateKey).toString('base64');
  return { ...document, signature };
}

export type CheckedAnchor =
  | { readonly good: AnchorDocument }
  /** Completes "The anchor KEY ...". */
  | { readonly bad: string; readonly otherKey?: string };

/**
 * Checks an anchor as it was found.
 *
 * @param key its name in the bucket
 * @param trusted the public key as it was had from elsewhere; without it the one in the anchor is used, which shows that
 *   nothing was changed since, not who signed
 */
export function checkAnchor(key: string, text: string, trusted: KeyObject | undefined): CheckedAnchor {
  const document = parse(text);
  if (document === undefined) return { bad: 'is no anchor: it was altered, or something else was put there' };
  const { signature, ...signed } = document;
  const own = readPublicKey(document.signedBy.publicKeyPem);
  const publicKey = trusted ?? own;
  if (publicKey === undefined) return { bad: 'names no key that it could be checked with' };
  if (!verify(null, Buffer.from(canonicalJson(signed)), publicKey, Buffer.from(signature, 'base64'))) {
    const otherKey = own === undefined ? undefined : fingerprintOf(own);
    if (otherKey === undefined || otherKey === fingerprintOf(publicKey)) {
      return { bad: `is not what was signed: it was altered${alteredIn(document)}` };
    }
    return { bad: `was signed with another key (${otherKey}), or altered`, otherKey };
  }
  if (anchorKey(document) !== key) return { bad: `was written under another name, ${anchorKey(document)}` };
  const broken = brokenAt(document);
  if (broken !== undefined) return { bad: `holds a chain that breaks at entry ${broken}` };
  return { good: document };
}

function parse(text: string): AnchorDocument | undefined {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = documentSchema.safeParse(data);
  if (!parsed.success) return undefined;
  // The body's kinds are not enumerated here: an anchor of a later Muster can still be checked.
  return parsed.data as unknown as AnchorDocument;
}

function alteredIn({ entries }: AnchorDocument): string {
  const altered = entries.filter(
    ({ previousHash, body, hash: said }) => entryHash(previousHash, body) !== said,
  );
  return altered.length === 0 ? '' : `, in entry ${altered.map(({ body }) => body.index).join(', ')}`;
}

function brokenAt({ runId, adoption, from, to, entries, head }: AnchorDocument): number | undefined {
  const fits = (body: JournalBody, position: number) =>
    body.runId === runId && (body.adoption ?? 0) === adoption && body.index === from + position;
  const broken = entries.find(
    (entry, position) =>
      !fits(entry.body, position) ||
      entryHash(entry.previousHash, entry.body) !== entry.hash ||
      (position > 0 && entries[position - 1]?.hash !== entry.previousHash),
  );
  if (broken !== undefined) return broken.body.index;
  const last = entries.at(-1);
  return last?.body.index === to && last.hash === head.hash && head.entries === to ? undefined : to;
}
