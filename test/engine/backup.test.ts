/** The workflow that takes backups: what one that fails means for the others, and what is reported. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type { MusterActivities } from '../../activities/contract.js';
import type { BackupRunInput, BackupRunResult } from '../../src/model/backup-run.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { startWorker, type TestWorker } from '../support/temporal.js';

type Take = MusterActivities['takeArchive'];
type Inspect = MusterActivities['inspectBackup'];

let worker: TestWorker;
let runbook: Runbook;
const taken: Parameters<Take>[0][] = [];
const inspected: Parameters<Inspect>[0][] = [];

const takeArchive: Take = async (input) => {
  taken.push(input);
  if (input.backup.layout === 'custom') {
    throw ApplicationFailure.nonRetryable('pg_dump of moneyflow failed', 'DumpFailed');
  }
  return {
    label: input.label ?? '',
    bytes: 1000,
    databaseBytes: 5000,
    snapshot: { at: '2026-11-21T03:00:00Z', lsn: '0/1', transactions: '1:1:' },
    parts: 3,
    copies: [],
    check: 'every byte read again and decrypted',
    warnings: [],
    summary: `${input.label}: 5 kB in 1 kB`,
  };
};
const inspectBackup: Inspect = async (input) => {
  inspected.push(input);
  return {
    places: [{ title: 'the volume', sound: true, says: 'there' }],
    findings:
      input.backup.driver === 'archive' && input.backup.layout === 'custom'
        ? []
        : [{ severity: 'warning', what: 'more than 20 % off.', next: 'Look.' }],
    summary: 'there',
  };
};

beforeAll(async () => {
  ({ runbook } = await loadRunbook('runbooks/moneyflow.yaml'));
  worker = await startWorker({ takeArchive, inspectBackup });
});
afterAll(() => worker.stop());

async function run(names: readonly string[]): Promise<BackupRunResult> {
  const daily = runbook.backups.daily;
  if (daily?.driver !== 'archive') throw new TypeError('MoneyFlow is backed up by archives');
  const input: BackupRunInput = {
    runId: `moneyflow-backup-${randomUUID()}`,
    requestedBy: 'on-call-dba',
    runbook: { ...runbook, backups: { broken: { ...daily, layout: 'custom' }, daily } },
    names,
  };
  return worker.client.workflow.execute('backup', {
    workflowId: input.runId,
    taskQueue: worker.taskQueue,
    args: [input],
  }) as Promise<BackupRunResult>;
}

it('takes one after the other from the primary: one that fails is told, and keeps nothing from the next', async () => {
  const result = await run(['broken', 'daily']);
  expect(result.made).toMatchObject([
    { backup: 'broken', summary: expect.stringContaining('NOT TAKEN: pg_dump of moneyflow failed') },
    { backup: 'daily', label: expect.stringMatching(/^\d{8}T\d{6}Z-full$/), bytes: 1000 },
  ]);
  expect(result.made[0]?.label).toBeUndefined();
  expect(result.findings).toMatchObject([
    { severity: 'critical', backup: 'broken', what: 'pg_dump of moneyflow failed' },
    { severity: 'warning', backup: 'daily', what: 'more than 20 % off.' },
  ]);
  expect(result.summary).toMatch(/^1 of 2 backups taken in .*, 2 to look at$/);
  expect(new Set(taken.map(({ source }) => source.site))).toEqual(new Set(['west']));
  // What an attempt has left in some copies is looked for under its own name.
  expect(inspected.map(({ labels }) => labels)).toEqual(taken.map(({ label }) => [label]));
});

it('refuses a name that the runbook does not know', async () => {
  await expect(run(['weekly'])).rejects.toMatchObject({
    cause: expect.objectContaining({ message: expect.stringContaining('has no backups.weekly') }),
  });
});
