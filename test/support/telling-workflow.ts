/** A workflow that says what it was told in every way that a workflow can say something. */
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow';

export interface Told {
  readonly marker: string;
  /** Signal or update with this text ends the run. */
  readonly until: string;
}

export const tellSignal = defineSignal<[string]>('tell');
export const tellUpdate = defineUpdate<string, [string]>('answer');
export const tellQuery = defineQuery<string>('asked');

const { repeat } = proxyActivities<{ repeat(text: string): Promise<string> }>({
  startToCloseTimeout: '1 min',
  heartbeatTimeout: '10 s',
  retry: { initialInterval: '10 ms', maximumAttempts: 2 },
});

/** @throws ApplicationFailure always, in the end, with the marker in message and details */
export async function telling({ marker, until }: Told): Promise<never> {
  let over = false;
  const heard: string[] = [];
  const hear = (text: string) => {
    heard.push(text);
    if (text === until) over = true;
  };
  setHandler(tellSignal, hear);
  setHandler(tellUpdate, (text) => {
    hear(text);
    return `answered ${marker}`;
  });
  setHandler(tellQuery, () => `${marker}: ${heard.join(', ')}`);
  setCurrentDetails(`**current** ${marker}`);
  await repeat.executeWithOptions({ summary: `summary ${marker}` }, [marker]);
  await sleep(1, { summary: `timer ${marker}` });
  await condition(() => over);
  throw ApplicationFailure.create({
    message: `failed ${marker}`,
    type: 'Told',
    details: [{ marker }],
    nonRetryable: true,
  });
}
