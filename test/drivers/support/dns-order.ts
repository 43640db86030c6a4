import type { FenceProof } from '../../../activities/contract.js';
import { acquireFencingToken, takePromotionToken, withVault } from '../../../activities/vault/index.js';
import type { Bucket, DnsRecord } from '../../../src/runbook/schema.js';
import { stepOf } from './steps.js';

export const generation = { systemIdentifier: '7300000000000000001', timeline: 1 };
const never = new AbortController().signal;
let systems = 0;

/** What a run that has fenced orders at its cutover; it has promoted unless told otherwise. */
export async function cutOverOrder<R extends DnsRecord>(
  record: R,
  vault: Bucket,
  options: { promoted: boolean } = { promoted: true },
) {
  systems += 1;
  const at = stepOf('run-1', `system-${systems}`);
  const token = await withVault(vault, never, async (open) => {
    const fencingToken = await acquireFencingToken(open, { ...at, ...generation });
    if (options.promoted) {
      await takePromotionToken(open, {
        ...at,
        ...generation,
        fencingToken,
        site: 'recovery',
        replayLsn: '0/1',
        checksSha256: 'x',
      });
    }
    return fencingToken;
  });
  const fence: FenceProof = {
    token,
    refusedWrite: { at: '', as: 'app', answer: 'refused' },
    terminatedSessions: 0,
    lastWriteAt: null,
    census: {},
    summary: '',
  };
  return { at, record, from: 'west', to: 'recovery', fence, vault };
}
