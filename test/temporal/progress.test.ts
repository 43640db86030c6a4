/** What running activities report reaches the run, which foretells by it. */
import { Context } from '@temporalio/activity';
import { readProgress } from '../../activities/look.js';
import type { Progress } from '../../src/model/run.js';
import { openToyWorld } from '../support/toy-world.js';

test('a run reads from Temporal what its steps report, and says early that one of them costs the RTO', async () => {
  const world = await openToyWorld({ readProgress });
  try {
    const crawling: Progress = {
      done: 1,
      total: 100,
      ratePerSecond: 0.01,
      unit: 'files',
      text: '1 of 100 files',
    };
    world.behave.set('build', async () => {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(crawling), 50);
      try {
        return await context.cancelled;
      } finally {
        clearInterval(beat);
      }
    });
    const run = await world.start({ build: 15_000 });
    const { warnings } = await run.until((view) => view.warnings.length > 0);
    expect(warnings[0]?.text).toMatch(/^database will miss its RTO of 1 h by 1 h .*, because of build$/);
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    const history = await run.handle.fetchHistory();
    const summaries = history.events?.map(({ userMetadata }) =>
      Buffer.from(userMetadata?.summary?.data ?? []).toString(),
    );
    expect(summaries).toContain('"how far the steps are"');
    await run.result();
  } finally {
    await world.worker.stop();
  }
});
