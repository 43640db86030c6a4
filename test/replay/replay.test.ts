/** Histories of earlier recoveries replay on today's workflows: a run that is under way survives an upgrade of its worker. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { temporal } from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';

const folder = resolve(__dirname, '../histories');
const codePath = resolve(__dirname, '../../dist/workflow-bundle.js');
const recorded = readdirSync(folder).filter((name) => name.endsWith('.binpb.gz'));

function read(name: string) {
  return temporal.api.history.v1.History.decode(gunzipSync(readFileSync(join(folder, name))));
}

beforeAll(() => Runtime.install({ logger: new DefaultLogger('ERROR') }));

it('has histories to replay', () => {
  expect(recorded).not.toEqual([]);
});

it.each(recorded)('replays %s', async (name) => {
  await Worker.runReplayHistory({ workflowBundle: { codePath } }, read(name), 'payymo.real');
});

it.each(recorded)('finds out when %s does not fit', async (name) => {
  const history = read(name);
  // The first activity of another name: what a changed order of steps looks like.
  const scheduled = history.events.find((event) => event.activityTaskScheduledEventAttributes != null);
  const type = scheduled?.activityTaskScheduledEventAttributes?.activityType;
  if (type == null) throw new Error('the history has no activity');
  type.name = 'somethingElse';
  await expect(
    Worker.runReplayHistory({ workflowBundle: { codePath } }, history, 'payymo.real'),
  ).rejects.toThrow(/[Nn]ondeterminism|[Nn]on-determinis|determinism/);
});
