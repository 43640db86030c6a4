/** A workflow that does something when a timer fires, and takes decisions at any time. */
import { condition, defineQuery, defineUpdate, setHandler, sleep } from '@temporalio/workflow';

/** @param wakeMs after which it goes on by itself */
export async function waking(wakeMs: number): Promise<readonly string[]> {
  const told: string[] = [];
  setHandler(defineUpdate<void, [string]>('tell'), async (what) => {
    told.push(what);
    await sleep(10);
  });
  setHandler(defineQuery<readonly string[]>('told'), () => [...told]);
  await sleep(wakeMs);
  await condition(() => told.includes('end'), 3_600_000);
  return told;
}
