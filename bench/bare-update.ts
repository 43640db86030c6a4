import { condition, defineUpdate, setHandler } from '@temporalio/workflow';

export const bareUpdate = defineUpdate<string, [string]>('bareUpdate');

/** Answers updates and does nothing else: what an answer costs without Muster. */
export async function bareUpdates(count: number): Promise<void> {
  let answered = 0;
  setHandler(bareUpdate, (text) => {
    answered += 1;
    return text;
  });
  await condition(() => answered === count);
}
