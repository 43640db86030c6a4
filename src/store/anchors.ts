/** Anchors journal entries as they come: signed, under object lock, at another site. */
import { readPublicKey, type SigningKey, signingKey } from '../evidence/key.js';
import type { Logger } from '../log.js';
import type { Anchor } from '../runbook/schema.js';
import { bucketTitle } from '../s3.js';
import { type AnchorBucket, openAnchorBucket } from './anchor-bucket.js';
import { type AnchorDocument, anchorKey, checkAnchor, makeAnchor } from './anchor-document.js';
import { type ChainedEntry, chain, type JournalBody } from './chain.js';
import { Outbox } from './outbox.js';

/** Where entries are anchored, and what they follow in the chain. */
export interface AnchorPlace {
  readonly anchor: Anchor;
  /** Hash of the entry before the first of these; `BEFORE_THE_FIRST` for the first of a run. */
  readonly after: string;
}

/** An entry to be anchored, as it stands in the spool: secrets of the bucket are references. */
export interface AnchorItem {
  readonly anchor: Anchor;
  readonly entry: ChainedEntry;
}

/** How long a run may be held up by a bucket that hangs, once; then it is left alone for a while. */
const REQUEST_MS = 3_000;
/** What goes into one object. */
const MOST_ENTRIES = 100;

export class Anchors {
  private readonly outbox: Outbox<AnchorItem>;
  private readonly buckets = new Map<string, Promise<AnchorBucket>>();

  /**
   * @param options.spool folder for what the bucket does not take
   * @param options.env says which key signs
   */
  constructor(
    private readonly options: {
      readonly spool: string;
      readonly restMs: number;
      readonly env?: NodeJS.ProcessEnv | undefined;
      readonly log: Logger;
    },
  ) {
    const { spool, restMs, log } = options;
    this.outbox = new Outbox<AnchorItem>({
      spool,
      restMs,
      log,
      name: 'the bucket of the anchors',
      laneOf: ({ anchor }) => bucketTitle(anchor),
      send: (_runId, items) => this.send(items),
    });
  }

  /**
   * Anchors entries of one run. They are durable when this returns: in the bucket, or in the spool.
   * @throws TransientError `JournalNotKept` only when neither takes them
   */
  async keep({ anchor, after }: AnchorPlace, bodies: readonly JournalBody[]): Promise<void> {
    const items = chain(after, bodies).map((entry) => ({ anchor, entry }));
    await this.outbox.keep(bodies[0]?.runId ?? '', items);
  }

  replay(): Promise<boolean> {
    return this.outbox.replay();
  }

  start(): void {
    this.outbox.start();
  }

  async close(): Promise<void> {
    await this.outbox.close();
    for (const bucket of this.buckets.values()) {
      await bucket.then(
        (open) => open.close(),
        () => undefined,
      );
    }
  }

  private async send(items: readonly AnchorItem[]): Promise<void> {
    const key = await signingKey(this.options.env);
    for (const group of neighbours(items)) await this.put(group.anchor, group.entries, key);
  }

  private async put(anchor: Anchor, entries: readonly ChainedEntry[], key: SigningKey): Promise<void> {
    const name = JSON.stringify(anchor);
    const opening = this.buckets.get(name) ?? openAnchorBucket(anchor, REQUEST_MS);
    this.buckets.set(name, opening);
    try {
      const bucket = await opening;
      const document = makeAnchor(entries, key, new Date());
      const object = anchorKey(document);
      const text = `${JSON.stringify(document, null, 1)}\n`;
      if ((await bucket.create(object, text)) || (await holds(bucket, object, document))) return;
      this.options.log.error({ object, bucket: bucket.title }, 'somebody else has put an object there');
      await bucket.createOver(object, text);
    } catch (error) {
      // Keys may have been exchanged meanwhile: they are read again.
      this.buckets.delete(name);
      opening.then(
        (open) => open.close(),
        () => undefined,
      );
      throw error;
    }
  }
}

/** Whether an attempt whose answer was lost has anchored these very entries there. Whoever may write can take a name before. */
async function holds(bucket: AnchorBucket, name: string, document: AnchorDocument): Promise<boolean> {
  const key = readPublicKey(document.signedBy.publicKeyPem);
  for (const version of await bucket.versions(name)) {
    if (version.key !== name || version.deleted) continue;
    const checked = checkAnchor(name, (await bucket.read(version)).text, key);
    if ('good' in checked && checked.good.head.hash === document.head.hash) return true;
  }
  return false;
}

/** Entries that follow each other in one chain go into one object. */
function neighbours(
  items: readonly AnchorItem[],
): { readonly anchor: Anchor; readonly entries: ChainedEntry[] }[] {
  const groups: { anchor: Anchor; entries: ChainedEntry[] }[] = [];
  for (const { anchor, entry } of items) {
    const group = groups.at(-1);
    const last = group?.entries.at(-1);
    const follows =
      group !== undefined &&
      last !== undefined &&
      entry.previousHash === last.hash &&
      (entry.body.adoption ?? 0) === (last.body.adoption ?? 0) &&
      bucketTitle(anchor) === bucketTitle(group.anchor);
    if (follows && group.entries.length < MOST_ENTRIES) group.entries.push(entry);
    else groups.push({ anchor, entries: [entry] });
  }
  return groups;
}
