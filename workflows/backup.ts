/**
 * Takes the backups of a system, one after the other: each is taken, looked for in every place and compared with the one before
 * it. It changes nothing but the backup's own places, so nobody has to approve it; what is wrong with one keeps nothing from the
 * next, and is told at the end.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  defineQuery,
  isCancellation,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { DatabaseAt, StepRef } from '../activities/contract.js';
import { messageOf } from '../src/errors.js';
import type { BackupFinding, BackupMade, BackupRunInput, BackupRunResult } from '../src/model/backup-run.js';
import { formatDuration } from '../src/model/format.js';
import type { Notice } from '../src/model/notice.js';
import { searchAttributes } from '../src/model/search-attributes.js';
import type { Backup } from '../src/runbook/schema.js';
import type { deliverNotice } from './deliver-notice.js';
import { cut, labelledActivities } from './engine/io.js';
import { receiversOf } from './engine/receivers.js';
import { databaseAt } from './parts.js';

const madeQuery = defineQuery<Pick<BackupRunResult, 'made' | 'findings'>>('made');

/** @throws ApplicationFailure `BadInput` where the runbook names no such backup, or no primary: nothing was begun */
export async function takeBackups(input: BackupRunInput): Promise<BackupRunResult> {
  const { runbook, names } = input;
  const startedAt = now();
  const made: BackupMade[] = [];
  const findings: BackupFinding[] = [];
  setHandler(madeQuery, () => ({ made, findings }), { description: 'What has been made by now.' });
  // Searches for a system list its recoveries: the system is left out here.
  upsertSearchAttributes([
    { key: searchAttributes.scenario, value: 'backup' },
    { key: searchAttributes.status, value: 'running' },
  ]);
  const [site] = Object.entries(runbook.sites).find(([, { role }]) => role === 'primary') ?? [];
  if (site === undefined) throw badInput(`Runbook ${runbook.system} has no primary`);
  const wanted = names.map((name) => {
    const backup = runbook.backups[name];
    if (backup === undefined) throw badInput(`Runbook ${runbook.system} has no backups.${name}`);
    return [name, backup] as const;
  });
  for (const [name, backup] of wanted) {
    setCurrentDetails(`**${runbook.title}**: ${made.length} of ${names.length} taken, now ${name}`);
    const taken = await takeOne(input, name, backup, databaseAt(runbook, site));
    made.push(taken.made);
    findings.push(...taken.findings);
  }
  const endedAt = now();
  const result = {
    runId: input.runId,
    system: runbook.system,
    startedAt,
    endedAt,
    made,
    findings,
    summary: summarise(made, findings, Date.parse(endedAt) - Date.parse(startedAt)),
  };
  setCurrentDetails(detailsOf(result));
  const failed = findings.some(({ severity }) => severity === 'critical');
  upsertSearchAttributes([{ key: searchAttributes.status, value: failed ? 'failed' : 'done' }]);
  await tell(input, result);
  return result;
}

async function takeOne(
  { runId, runbook, type = 'full' }: BackupRunInput,
  name: string,
  backup: Backup,
  source: DatabaseAt,
): Promise<{ readonly made: BackupMade; readonly findings: readonly BackupFinding[] }> {
  const at: StepRef = {
    runId,
    system: runbook.system,
    scenario: 'backup',
    mode: 'real',
    step: `take-${name}`,
  };
  const long = longFor(at.step);
  const startedAt = now();
  const findings: BackupFinding[] = [];
  const label = backup.driver === 'archive' ? labelAt(startedAt, backup.content) : undefined;
  let made: Pick<BackupMade, 'label' | 'bytes' | 'summary'>;
  // One for each place; of an archive that some places lack, the same in all: whether it is there is seen.
  let labels: readonly (string | null)[];
  try {
    if (backup.driver === 'archive') {
      const taken = await long.takeArchive({ at, source, backup, ...(label === undefined ? {} : { label }) });
      made = { label: taken.label, bytes: taken.bytes, summary: `${taken.summary}; ${taken.check}` };
      labels = [taken.label];
    } else {
      const taken = await long.takeBackup({ at, source, backup, type });
      const [first] = taken.labels;
      made = {
        ...(first === undefined ? {} : { label: first.label, bytes: first.bytes }),
        summary: taken.summary,
      };
      labels = backup.repositories.map(
        ({ number }) => taken.labels.find(({ repository }) => repository === number)?.label ?? null,
      );
      findings.push(...taken.failures.map(({ message }) => failed(name, message)));
    }
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    const message = messageOf(error.cause);
    made = { summary: `NOT TAKEN: ${message}` };
    labels = label === undefined ? [] : [label];
    findings.push(failed(name, message));
  }
  const inspected = await inspect({ at: { ...at, step: `inspect-${name}` }, source, backup, labels }, name);
  const endedAt = now();
  return {
    made: {
      backup: name,
      driver: backup.driver,
      ...made,
      startedAt,
      endedAt,
      durationMs: Date.parse(endedAt) - Date.parse(startedAt),
      places: inspected.places,
    },
    findings: [...findings, ...inspected.findings],
  };
}

async function inspect(
  input: {
    readonly at: StepRef;
    readonly source: DatabaseAt;
    readonly backup: Backup;
    readonly labels: readonly (string | null)[];
  },
  name: string,
): Promise<{ readonly places: BackupMade['places']; readonly findings: readonly BackupFinding[] }> {
  try {
    const { places, findings } = await longFor(input.at.step).inspectBackup(input);
    return { places, findings: findings.map((finding) => ({ ...finding, backup: name })) };
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    const what = `It could not be looked at: ${messageOf(error.cause)}`;
    return { places: [], findings: [{ ...failed(name, what), next: 'Look into its places by hand.' }] };
  }
}

function badInput(what: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`${what}. Nothing was begun.`, 'BadInput');
}

/** Activity ids begin with the step, as those of recoveries do. */
function longFor(step: string) {
  return labelledActivities('long', step, () => `${step}.1`);
}

function failed(backup: string, what: string): BackupFinding {
  return {
    severity: 'critical',
    backup,
    what,
    next: 'Correct the cause, then take it again: muster backup. The backups before it stay.',
  };
}

/** As the archives call it: `20261121T030000Z-full`. */
function labelAt(moment: string, content: string): string {
  return `${moment.replace(/[-:]|\.\d+/g, '')}-${content}`;
}

function now(): string {
  return new Date(Date.now()).toISOString();
}

function summarise(made: readonly BackupMade[], findings: readonly BackupFinding[], tookMs: number): string {
  const taken = made.filter(({ label }) => label !== undefined).length;
  const told = findings.length === 0 ? 'nothing to look at' : `${findings.length} to look at`;
  return `${taken} of ${made.length} backups taken in ${formatDuration(tookMs)}, ${told}`;
}

function detailsOf({ summary, made, findings }: BackupRunResult): string {
  return [
    `**${summary}**`,
    '',
    ...made.map(({ backup, summary: says }) => `- ${backup}: ${says}`),
    ...findings.map(({ severity, backup, what }) => `- ${severity}, ${backup}: ${what}`),
  ].join('\n');
}

/** Whoever the runbook names for steps that fail hears of what is to be looked at; the run does not wait for it. */
async function tell({ runId, runbook }: BackupRunInput, result: BackupRunResult): Promise<void> {
  const { findings } = result;
  const [first] = findings;
  const to = runbook.people.map(({ name }) => name);
  const receivers = receiversOf(runbook, 'step-failed', to);
  if (first === undefined || receivers.length === 0) return;
  const critical = findings.some(({ severity }) => severity === 'critical');
  const notice: Notice = {
    id: `${runId}-n1`,
    kind: 'step-failed',
    severity: critical ? 'critical' : 'warning',
    at: now(),
    runId,
    system: runbook.system,
    systemTitle: runbook.title,
    scenario: 'backup',
    mode: 'real',
    matter: 'backup',
    settles: [],
    title: critical ? `a backup has failed: ${first.what}` : `a backup is unusual: ${first.what}`,
    text: result.summary,
    facts: findings.map(({ severity, backup, what }) => ({ label: `${severity}, ${backup}`, value: what })),
    actions: findings.map(({ backup, next }) => ({ label: backup, value: next })),
    to,
  };
  await startChild<typeof deliverNotice>('deliverNotice', {
    workflowId: `notice.${notice.id}`,
    args: [{ notice, receivers }],
    parentClosePolicy: 'ABANDON',
    staticSummary: cut(notice.title, 200),
  });
}
