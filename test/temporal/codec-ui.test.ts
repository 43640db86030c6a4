/** Temporal's own web interface, in a browser: an engineer reads an encrypted run as if nothing were encrypted. */
import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { findPrograms } from '../../lab/parts/lookup.js';
import { type CodecEndpoint, startCodecEndpoint } from '../../src/codec-endpoint/server.js';
import { payloadCodecFor } from '../../src/temporal/codec-converter.js';
import { openBrowser } from '../support/browser.js';
import { run } from '../support/muster-process.js';
import { usePayloadKey } from '../support/payload-key.js';
import { sharedTemporal, startWorker, type TestWorker } from '../support/temporal.js';

const key = usePayloadKey();
const marker = `marker-${randomUUID()}`;
const workflowId = `telling-${randomUUID()}`;
let browser: Browser;
let worker: TestWorker;
let endpoint: CodecEndpoint;
let address: string;

beforeAll(async () => {
  const { uiUrl, codecUrl } = await sharedTemporal();
  const port = Number(new URL(codecUrl).port);
  endpoint = await startCodecEndpoint(
    { host: '127.0.0.1', port, origins: [new URL(uiUrl).origin] },
    await payloadCodecFor(key.env),
  );
  worker = await startWorker({ repeat: async (text: string) => `repeated ${text}` }, key.env);
  const handle = await worker.client.workflow.start('telling', {
    workflowId,
    taskQueue: worker.taskQueue,
    args: [{ marker, until: 'enough' }],
    staticSummary: `static ${marker}`,
    staticDetails: `details ${marker}`,
  });
  await handle.query('asked');
  address = `${uiUrl}/namespaces/default/workflows/${workflowId}/${handle.firstExecutionRunId}`;
  browser = await openBrowser();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await worker?.client.workflow.getHandle(workflowId).terminate();
  await worker?.stop();
  await endpoint?.close();
});

/** Opens a tab of the run in a fresh profile, nothing set and nothing clicked, and waits for its text. */
async function read(tab: string, expected: readonly string[], patienceMs = 15_000): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1400 } });
  const page = await context.newPage();
  try {
    await page.goto(`${address}/${tab}`);
    for (const text of expected) await waitForText(page, text, patienceMs);
  } finally {
    await context.close();
  }
}

/** Details stand in frames of their own. */
async function waitForText(page: Page, text: string, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const shown = await Promise.all(
      page.frames().map((frame) => frame.evaluate(() => document.body.textContent).catch(() => '')),
    );
    if (shown.some((each) => each?.includes(text))) return;
    if (Date.now() > deadline)
      throw new Error(`"${text}" is not on the page, which shows:\n${shown.join('\n')}`);
    await page.waitForTimeout(50);
  }
}

it('shows the input of a run, and summaries of activities and timers in clear', async () => {
  await read('history', [`"marker": "${marker}"`, `summary ${marker}`, `timer ${marker}`]);
});

it('shows summary, details and current details of a run in clear', async () => {
  await read('user-metadata', [`static ${marker}`, `details ${marker}`, `current ${marker}`]);
});

it("lets Temporal's command line read answers and refusals", async () => {
  const { address: server, codecUrl } = await sharedTemporal();
  const update = (...rest: string[]) =>
    run(findPrograms().temporal, [
      ...['workflow', 'update', 'execute', '--address', server, '--workflow-id', workflowId],
      ...['--input', '"text"', ...rest],
    ]);
  const readable = ['--codec-endpoint', codecUrl];
  expect((await update('--name', 'answer', ...readable)).stdout).toContain(`answered ${marker}`);
  const refused = await update('--name', 'unknown-update', ...readable);
  expect(`${refused.stdout}${refused.stderr}`).toContain('No registered handler');
  expect((await update('--name', 'unknown-update')).stderr).toContain('Encoded failure');
}, 30_000);

it('shows nothing of it without the endpoint', async () => {
  await endpoint.close();
  await expect(read('history', [`summary ${marker}`], 5_000)).rejects.toThrow(workflowId);
});
