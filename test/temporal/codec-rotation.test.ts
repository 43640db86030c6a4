/** The key changes while a run is open; and what happens to whoever has no key, or the wrong one. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { WorkflowFailedError } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { readKeyRing } from '../../src/temporal/codec-keys.js';
import { runMuster } from '../cli/run-muster.js';
import { usePayloadKey } from '../support/payload-key.js';
import { sharedTemporal, startWorker } from '../support/temporal.js';

const oldKey = usePayloadKey();
const newKey = usePayloadKey();
const ring = (...keys: { readonly env: Readonly<Record<string, string>> }[]) => ({
  MUSTER_PAYLOAD_KEYS: keys.map(({ env }) => env.MUSTER_PAYLOAD_KEYS).join(','),
});
const activities = { repeat: async (text: string) => `repeated ${text}` };

it('goes on with the new key in a run that began with the old one, and reads both', async () => {
  const marker = `marker-${randomUUID()}`;
  const workflowId = `rotated-${randomUUID()}`;
  const before = await startWorker(activities, ring(oldKey));
  const { taskQueue } = before;
  await before.client.workflow.start('telling', {
    workflowId,
    taskQueue,
    args: [{ marker, until: 'enough' }],
    staticSummary: `static ${marker}`,
  });
  const asked = await before.client.workflow.getHandle(workflowId).query<string>('asked');
  expect(asked).toContain(marker);
  await before.stop();

  const after = await startWorker(activities, ring(newKey, oldKey), taskQueue);
  const handle = after.client.workflow.getHandle(workflowId);
  // Its history is replayed, written with the old key.
  expect(await handle.query<string>('asked')).toBe(asked);
  expect(await handle.executeUpdate<string, [string]>('answer', { args: ['enough'] })).toBe(
    `answered ${marker}`,
  );
  const failure = await handle.result().catch((error: WorkflowFailedError) => error.cause);
  expect(failure).toMatchObject({ message: `failed ${marker}` });

  const history = temporal.api.history.v1.History.encode(await handle.fetchHistory()).finish();
  const bytes = Buffer.from(history).toString('latin1');
  const [oldId, newId] = await Promise.all(
    [oldKey, newKey].map(async ({ env }) => (await readKeyRing(env))[0]?.id ?? 'none'),
  );
  expect(bytes).toContain(oldId);
  expect(bytes.lastIndexOf(newId as string)).toBeGreaterThan(bytes.lastIndexOf(oldId as string));
  expect(bytes).not.toContain(marker);
  await after.stop();

  const forgetful = await startWorker(activities, ring(newKey));
  const unread = forgetful.client.workflow.getHandle(workflowId).describe();
  await expect(unread.then((described) => described.staticSummary())).rejects.toMatchObject({
    code: 'PayloadKeyMissing',
    message: expect.stringContaining(oldId as string),
  });
  await forgetful.stop();
}, 60_000);

describe('a key that cannot be used ends everything before it begins, with exit code 2', () => {
  const wrong = [
    ['none', '', 'no key is named'],
    ['a file that is not there', 'file:/nonexistent/payload.key', 'file:/nonexistent/payload.key'],
    ['a key of another length', 'env:SHORT_KEY', 'env:SHORT_KEY, which holds no key'],
    ['the key itself', 'c2VjcmV0', 'something that is no reference'],
  ] as const;

  it.each(wrong)('%s, given to a command', async (_what, keys, said) => {
    const { address } = await sharedTemporal();
    const env = {
      TEMPORAL_ADDRESS: address,
      MUSTER_PAYLOAD_ENCRYPTION: 'on',
      MUSTER_PAYLOAD_KEYS: keys,
      SHORT_KEY: 'c2hvcnQ=',
    };
    const { code, stderr } = await runMuster(['status', 'payymo'], { env });
    expect(code).toBe(2);
    expect(stderr.replace(/\s+/g, ' ')).toContain(said);
    expect(stderr).not.toContain('c2');
  });

  it('none, given to a worker', async () => {
    const { address } = await sharedTemporal();
    const program = resolve(__dirname, '../../dist/src/worker.js');
    const { MUSTER_PAYLOAD_ENCRYPTION: _off, ...rest } = process.env;
    const worker = spawnSync(process.execPath, [program], {
      env: { ...rest, TEMPORAL_ADDRESS: address, MUSTER_PAYLOAD_KEYS: '' },
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(worker.status).toBe(2);
    expect(`${worker.stdout}${worker.stderr}`).toContain('MUSTER_PAYLOAD_KEYS');
  });
});
