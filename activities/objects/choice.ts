/** Which version of a key comes back. No effects: the same for looking and for doing. */
import type { KeyHistory, ObjectVersion } from './driver.js';

export interface Window {
  /** Versions written before this moment are good, milliseconds since 1970. */
  readonly beforeMs: number;
  /** What was written at or after this moment was done on purpose and stays. */
  readonly untilMs: number;
  /** `deleted`: only keys that were deleted; `changed`: also those that were overwritten. */
  readonly damage: 'deleted' | 'changed';
}

export type Choice =
  | { readonly kind: 'bring-back'; readonly version: ObjectVersion; readonly was: 'deleted' | 'overwritten' }
  /** As it was before, or never there before. */
  | { readonly kind: 'intact' }
  /** Overwritten, which is not asked for, or changed after the window. */
  | { readonly kind: 'left-alone' };

export function chooseVersion({ versions }: KeyHistory, window: Window): Choice {
  const [now] = versions;
  const good = versions.find(({ atMs }) => atMs < window.beforeMs);
  if (now === undefined || good === undefined || good.kind === 'delete-marker') return { kind: 'intact' };
  if (now.versionId === good.versionId || sameContent(now, good)) return { kind: 'intact' };
  if (now.atMs >= window.untilMs) return { kind: 'left-alone' };
  if (now.kind === 'delete-marker') return { kind: 'bring-back', version: good, was: 'deleted' };
  if (window.damage === 'deleted') return { kind: 'left-alone' };
  return { kind: 'bring-back', version: good, was: 'overwritten' };
}

function sameContent(one: ObjectVersion, other: ObjectVersion): boolean {
  return one.kind === other.kind && one.bytes === other.bytes && one.etag === other.etag;
}

/** Whether an entity tag is the MD5 of the content: not for objects uploaded in parts. */
export function isMd5(etag: string): boolean {
  return /^[0-9a-f]{32}$/.test(etag);
}
