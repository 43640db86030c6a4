/** One object from one store to another, its content held against what both stores say of it. */
import { createHash } from 'node:crypto';
import { type Comparison, compareContent, isDamage, type PartsKnown } from './content.js';
import type { BucketDriver, ListedObject, ObjectBody } from './driver.js';

/** Objects up to this size go in one request; larger ones in parts of it, so that no object is in memory whole. */
const PART_BYTES = 8 * 1024 * 1024;
/** S3's limit (User Guide, "Multipart upload limits"). */
const MOST_PARTS = 10_000;

export type Copied =
  | { readonly kind: 'copied'; readonly bytes: number }
  /** It went while the copy was under way. */
  | { readonly kind: 'gone' }
  /** What the source gives is not what was written there, or a store refuses it: it is not copied. */
  | { readonly kind: 'damaged'; readonly why: string };

/**
 * @param listed what the source's listing says of the object
 * @throws what both drivers throw
 */
export async function copyObject(
  from: BucketDriver,
  to: BucketDriver,
  listed: ListedObject,
): Promise<Copied> {
  const first = await tryToCopy(from, to, listed.key, 'alike');
  // Once more: the damage may have happened on the way, or the parts were not alike.
  return first.kind === 'damaged' ? tryToCopy(from, to, listed.key, 'each') : first;
}

async function tryToCopy(
  from: BucketDriver,
  to: BucketDriver,
  key: string,
  known: PartsKnown,
): Promise<Copied> {
  const body = await from.get(key);
  if (body === undefined) return { kind: 'gone' };
  const comparison = await compareContent(from, { key }, body, known);
  const partBytes = Math.max(PART_BYTES, Math.ceil(body.bytes / MOST_PARTS));
  try {
    return body.bytes <= partBytes
      ? await copyWhole(to, key, body, comparison)
      : await copyInParts(to, key, body, comparison, partBytes);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { kind: 'damaged', why: 'its content is not what was written (its checksum does not fit)' };
  }
}

async function copyWhole(
  to: BucketDriver,
  key: string,
  body: ObjectBody,
  comparison: Comparison,
): Promise<Copied> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.stream) {
    comparison.add(chunk);
    chunks.push(chunk);
  }
  const content = Buffer.concat(chunks);
  const why = comparison.end();
  if (why !== undefined) return { kind: 'damaged', why };
  await to.put(key, content, sha256(content), body.headers);
  return { kind: 'copied', bytes: content.length };
}

async function copyInParts(
  to: BucketDriver,
  key: string,
  body: ObjectBody,
  comparison: Comparison,
  partBytes: number,
): Promise<Copied> {
  const upload = await to.putInParts(key, body.headers);
  let bytes = 0;
  try {
    for await (const part of partsOf(body.stream, partBytes)) {
      comparison.add(part);
      bytes += part.length;
      await upload.part(part, sha256(part));
    }
    const why = comparison.end();
    if (why === undefined) {
      await upload.finish();
      return { kind: 'copied', bytes };
    }
    await upload.abort();
    return { kind: 'damaged', why };
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

async function* partsOf(stream: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes < partBytes) continue;
    const all = Buffer.concat(held);
    let offset = 0;
    for (; all.length - offset >= partBytes; offset += partBytes) {
      yield all.subarray(offset, offset + partBytes);
    }
    held = [all.subarray(offset)];
    bytes = all.length - offset;
  }
  if (bytes > 0) yield Buffer.concat(held);
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('base64');
}
