/** Lets a fault strike, and mends the world again when the run has met with it. */
import type { Fault } from './cases.js';
import type { Reached } from './moments.js';
import { Abyss, bringBack, type Takeable, takeAway } from './parts.js';
import type { HandedTask } from './proxy.js';
import type { Stage } from './stage.js';
import type { FaultyWorker } from './workers.js';

/** Connections that break before an outage counts as noticed, where no attempt fails of it. */
const NOTICED_AFTER = 20;

/** A store that comes back while the run goes on has been away for longer than it is left alone after a failure. */
const STORE_AWAY_MS = 7_000;

/**
 * Returns when the fault has struck; what mends it is added to `stage.mending`.
 * @param more whether something else is still to befall this run
 */
export async function strike(
  stage: Stage,
  fault: Fault,
  reached: Reached,
  more: () => boolean,
): Promise<void> {
  stage.unmended += 1;
  const done = () => {
    stage.unmended -= 1;
  };
  const troubled = (error: unknown) => {
    stage.trouble ??= error;
  };
  try {
    const mend = await faults[fault](stage, reached, more);
    reached.proceed();
    if (mend === undefined) done();
    else stage.mending.push(mend().then(done, troubled));
  } catch (error) {
    reached.proceed();
    reached.answer('forward');
    troubled(error);
  }
}

/** @returns what mends it again */
type Strike = (
  stage: Stage,
  reached: Reached,
  more: () => boolean,
) => Promise<(() => Promise<void>) | undefined>;

const faults: Readonly<Record<Fault, Strike>> = {
  kill: async (stage, { answer, worker = stage.worker }) => {
    await worker.kill();
    answer('lose');
    return async () => void (await stage.addWorker());
  },

  freeze: async (stage, { answer, task, worker = stage.worker }) => {
    const wake = await worker.freeze();
    return async () => {
      const taken = takenOver(stage, worker, task);
      await stage.addWorker();
      await taken;
      wake();
      answer('forward');
    };
  },

  temporal: async (stage, { answer }) => {
    await stage.takeTemporalAway();
    answer('forward');
    return () => stage.bringTemporalBack();
  },

  store: async (stage, { answer }, more) => {
    await takeAway(stage.lab, 'store');
    answer('forward');
    const since = performance.now();
    return async () => {
      await until(stage, () => more() && performance.now() - since > STORE_AWAY_MS);
      await bringBack(stage.lab, 'store');
    };
  },

  s3: async (stage, { answer }) => {
    const servers: readonly Takeable[] = ['s3-west', 's3-east'];
    await Promise.all(servers.map((name) => takeAway(stage.lab, name)));
    const { west, east } = stage.lab.state.regions;
    const abyss = await Abyss.at([west.endpoint, east.endpoint]);
    answer('forward');
    let failed = false;
    const unlisten = stage.listen(({ what }) => {
      failed ||= what === 'failing';
    });
    return async () => {
      await until(stage, () => failed || abyss.broken >= NOTICED_AFTER);
      unlisten();
      await abyss.close();
      // One after the other: each is written down in the lab's list of its parts.
      for (const name of servers) await bringBack(stage.lab, name);
    };
  },

  lose: async (_stage, { answer }) => {
    answer('lose');
    return undefined;
  },
};

/** Another worker has been given what the one that stands still had in its hands, or anything where it had nothing. */
function takenOver(stage: Stage, still: FaultyWorker, held: HandedTask | undefined): Promise<void> {
  let taken = false;
  const unlisten = stage.listen(({ what, activityId }, worker) => {
    taken ||= worker !== still && what === 'handed' && (held === undefined || activityId === held.activityId);
  });
  return until(stage, () => taken).finally(unlisten);
}

/** Waits for it, or for the end of the run. */
async function until(stage: Stage, condition: () => boolean): Promise<void> {
  while (!stage.ended && !condition()) await new Promise((later) => setTimeout(later, 50));
}
