/** What a real Temporal server keeps of a run: nothing that can be read without the key. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { connectTemporal } from '../../src/temporal/connection.js';
import { lookAt } from '../../src/temporal/observe.js';
import { usePayloadKey } from '../support/payload-key.js';
import { sharedTemporal, startWorker, type TestWorker } from '../support/temporal.js';

const key = usePayloadKey();

/** A run that tells a marker everywhere, and everything that the server then hands out of it. */
async function tell(payloads: Readonly<Record<string, string>>) {
  const marker = `marker-${randomUUID()}`;
  const worker = await startWorker(
    {
      repeat: async (text: string) => {
        const { info } = Context.current();
        Context.current().heartbeat({ text });
        if (info.attempt === 1) {
          await new Promise((resolve) => setTimeout(resolve, 250));
          throw ApplicationFailure.create({ message: `broke on ${text}`, details: [text] });
        }
        return `repeated ${text}`;
      },
    },
    payloads,
  );
  try {
    return { marker, ...(await runOf(worker, marker)) };
  } finally {
    await worker.stop();
  }
}

async function runOf({ client, taskQueue }: TestWorker, marker: string) {
  const workflowId = `telling-${randomUUID()}`;
  const handle = await client.workflow.start('telling', {
    workflowId,
    taskQueue,
    args: [{ marker, until: `enough ${marker}` }],
    memo: { told: marker },
    staticSummary: `static ${marker}`,
    staticDetails: `details ${marker}`,
  });
  await handle.signal('tell', `signal ${marker}`);
  const asked = await handle.query<string>('asked');
  const execution = { workflowId, runId: handle.firstExecutionRunId };
  const { workflowService } = client.connection;
  const described = await workflowService.describeWorkflowExecution({ namespace: 'default', execution });
  const details = await workflowService.queryWorkflow({
    namespace: 'default',
    execution,
    query: { queryType: '__temporal_workflow_metadata' },
  });
  const answered = await handle.executeUpdate<string, [string]>('answer', { args: [`enough ${marker}`] });
  const failure = await handle.result().then(
    () => undefined,
    (error: unknown) => (error instanceof WorkflowFailedError ? error.cause : undefined),
  );
  const { history } = await workflowService.getWorkflowExecutionHistory({ namespace: 'default', execution });
  const { memo } = await handle.describe();
  const api = temporal.api.workflowservice.v1;
  const handedOut = Buffer.concat([
    temporal.api.history.v1.History.encode(history ?? {}).finish(),
    api.DescribeWorkflowExecutionResponse.encode(described).finish(),
    api.QueryWorkflowResponse.encode(details).finish(),
  ]);
  return { asked, answered, failure, memo, handedOut, events: history?.events ?? [], workflowId };
}

/** The server's database with what it has not yet moved there. */
async function databaseBytes(): Promise<Buffer> {
  await sharedTemporal();
  const folder = join(process.env.MUSTER_TEST_RUN ?? '', 'temporal');
  const files = readdirSync(folder).filter((name) => name.startsWith('temporal.db'));
  expect(files).toContain('temporal.db');
  return Buffer.concat(files.map((name) => readFileSync(join(folder, name))));
}

it('keeps no word of what a run is told, does, answers or fails with', async () => {
  const { marker, asked, answered, failure, memo, handedOut, events } = await tell(key.env);
  // All of it arrived where the key is.
  expect(asked).toContain(`signal ${marker}`);
  expect(answered).toBe(`answered ${marker}`);
  expect(memo).toEqual({ told: marker });
  expect(failure).toMatchObject({ message: `failed ${marker}`, type: 'Told', details: [{ marker }] });
  expect(failure?.stack).toContain('telling-workflow');
  // None of it is on the server.
  expect(events.length).toBeGreaterThan(10);
  expect(handedOut.includes(marker)).toBe(false);
  expect(handedOut.includes('telling-workflow')).toBe(false);
  expect((await databaseBytes()).includes(marker)).toBe(false);
});

it('would be seen to keep it: without encryption the same places hold it', async () => {
  const { marker, handedOut } = await tell({ MUSTER_PAYLOAD_ENCRYPTION: 'off' });
  expect(handedOut.includes(`signal ${marker}`)).toBe(true);
  expect(handedOut.includes(`repeated ${marker}`)).toBe(true);
  expect(handedOut.includes(`summary ${marker}`)).toBe(true);
  expect((await databaseBytes()).includes(marker)).toBe(true);
});

it('takes signals and updates in clear, as the web interface sends them', async () => {
  const marker = `marker-${randomUUID()}`;
  const worker = await startWorker({ repeat: async (text: string) => text }, key.env);
  const connection = await Connection.connect({ address: (await sharedTemporal()).address });
  try {
    const workflowId = `telling-${randomUUID()}`;
    const handle = await worker.client.workflow.start('telling', {
      workflowId,
      taskQueue: worker.taskQueue,
      args: [{ marker, until: 'enough' }],
    });
    // This client knows no key.
    const inClear = new Client({ connection }).workflow.getHandle(workflowId);
    await inClear.signal('tell', 'from the page');
    expect(await handle.query('asked')).toContain('from the page');
    await inClear.startUpdate('answer', { args: ['enough'], waitForStage: 'ACCEPTED' });
    await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
  } finally {
    await worker.stop();
    await connection.close();
  }
});

it('tells why an attempt failed although the server does not know', async () => {
  const marker = `marker-${randomUUID()}`;
  const worker = await startWorker(
    {
      repeat: async (text: string) => {
        const { attempt } = Context.current().info;
        if (attempt === 1) throw new Error(`broke on ${text}`);
        await Context.current().cancelled;
      },
    },
    key.env,
  );
  const { address } = await sharedTemporal();
  const session = await connectTemporal({
    address,
    namespace: 'default',
    connection: { address },
    namedBy: 'environment',
    payloads: key.env,
  });
  const workflowId = `telling-${randomUUID()}`;
  try {
    const handle = await worker.client.workflow.start('telling', {
      workflowId,
      taskQueue: worker.taskQueue,
      args: [{ marker, until: 'enough' }],
    });
    const run = {
      workflowId,
      temporalRunId: handle.firstExecutionRunId,
      system: 'telling',
      mode: 'real' as const,
      active: true,
      workflowStatus: 'RUNNING',
      startedAt: '',
    };
    const deadline = Date.now() + 20_000;
    let failure: string | undefined;
    while (failure === undefined && Date.now() < deadline) {
      const { activity = {} } = await lookAt(session, run);
      failure = Object.values(activity).find(({ attempt }) => attempt === 2)?.lastFailure;
    }
    expect(failure).toBe(`broke on ${marker}`);
    await handle.terminate();
  } finally {
    await session.close();
    await worker.stop();
  }
});
