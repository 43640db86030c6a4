import { activitySignal } from '../context.js';

const ASK_MS = 3_000;

/**
 * Whether an application answers, whatever it says: without its database it cannot be well yet.
 * @param url where it says how it is
 * @throws the reason of the activity's signal once it is called off
 */
export async function answers(url: URL): Promise<boolean> {
  try {
    const answer = await fetch(url, {
      headers: { connection: 'close' },
      signal: AbortSignal.any([activitySignal(), AbortSignal.timeout(ASK_MS)]),
    });
    await answer.arrayBuffer();
    return true;
  } catch {
    activitySignal().throwIfAborted();
    return false;
  }
}
