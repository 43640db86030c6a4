import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { activityInterceptor, toFailure } from '../../activities/interceptor.js';
import { PermanentError, TransientError } from '../../src/errors.js';
import { createLog } from '../../src/log.js';

const log = createLog('test');
log.level = 'silent';
const environment = () => new MockActivityEnvironment({}, { interceptors: [activityInterceptor(log)] });

test('what breaks once an activity is told to stop is no failure of the step', async () => {
  const env = environment();
  const stopped = env.run(async () => {
    await Context.current().cancelled.catch(() => undefined);
    throw new Error('the connection was closed');
  });
  stopped.catch(() => undefined);
  env.cancel();
  const error = await stopped.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CancelledFailure);
  expect(error).toMatchObject({ message: 'the connection was closed' });
});

test('a failure keeps its code, what to do, and whether trying again can help', async () => {
  const facts = { next: 'Do this.', why: 'Because.', details: { file: 'a' } };
  for (const [Kind, nonRetryable] of [
    [PermanentError, true],
    [TransientError, false],
  ] as const) {
    const failed = environment().run(async () => {
      throw new Kind('Code', 'It broke.', facts);
    });
    const error = await failed.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApplicationFailure);
    expect(error).toMatchObject({
      type: 'Code',
      nonRetryable,
      message: 'It broke.',
      details: [{ next: 'Do this.', why: 'Because.', file: 'a' }],
    });
  }
  expect(toFailure('anything else')).toBe('anything else');
});

test('an activity that says nothing is alive all the same', async () => {
  const env = environment();
  const silent = () => new Promise<string>((resolve) => env.on('heartbeat', () => resolve('alive')));
  expect(await env.run(silent)).toBe('alive');
});
