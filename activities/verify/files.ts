import { formatBytes, formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { runTool } from '../../src/process.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, RecoveryPoint, RestoreResult, RungResult } from '../contract.js';
import { lsnToNumber } from '../pgbackrest/wal.js';
import { holdLease, requireHeld } from '../provision/lease.js';
import { startClosed } from '../restore/archive-closed.js';
import { replayToPoint } from '../restore/replay.js';
import { type ControlData, serviceOf } from '../service/index.js';
import { check, headingOf, passed, verificationFailed } from './check.js';
import { parseChecksums } from './checksums.js';

type Input = Parameters<MusterActivities['verifyFiles']>[0];
type Update = (progress: Progress) => void;

const CHECKSUMS_MS = 12 * 3_600_000;

/**
 * Rungs 2 and 3: stops the copy cleanly, reads its control file, compares every page with its checksum, starts it again and
 * waits until replay is paused where it was.
 *
 * @throws PermanentError `VerificationFailed`; what starting and replaying throw
 */
export async function verifyFiles(
  { at, target, point, restored }: Input,
  update: Update,
): Promise<RungResult> {
  const lease = await holdLease(at, target);
  const service = serviceOf(target.postgres);
  update({ done: 0, unit: 'bytes', text: 'stopping the copy' });
  await service.stop('fast');
  const { heading: controlHeading } = await headingOf(target.postgres, 'pg_controldata', {
    rung: 2,
    title: 'control data',
  });
  let control: ControlData | undefined;
  const controlled = await check(controlHeading, async () => {
    control = await service.control();
    return judgeControl(controlHeading, control, restored.cluster ?? point, restored);
  });
  const { program, heading: pagesHeading } = await headingOf(target.postgres, 'pg_checksums', {
    rung: 3,
    title: 'page checksums',
  });
  const pages = await check(pagesHeading, async () =>
    control?.checksumVersion === 0
      ? 'this cluster was made without page checksums: its pages are only read by rungs 5 and 6'
      : checkPages(pagesHeading, target, program, update),
  );
  update({ done: 0, unit: 'segments', text: 'starting the copy again' });
  await requireHeld(lease);
  const paused =
    restored.cluster === undefined ? await replayToPoint(target, point, update) : await startClosed(target);
  if (paused.lsn !== restored.lsn) {
    throw verificationFailed(
      { rung: 2, title: 'same position after a restart' },
      `replay paused at ${paused.lsn} after the restart and at ${restored.lsn} before it.`,
      'Restore again: the archive has changed, or the copy was touched.',
    );
  }
  return passed([controlled, pages]);
}

type Heading = { readonly rung: number; readonly title: string };

/** Compares the control file with the point that was asked for. */
export function judgeControl(
  heading: Heading,
  control: ControlData,
  point: Pick<RecoveryPoint, 'systemIdentifier' | 'timeline'>,
  restored: Pick<RestoreResult, 'lsn'>,
): string {
  const wrong: string[] = [];
  if (control.systemIdentifier !== point.systemIdentifier) {
    wrong.push(`system identifier ${control.systemIdentifier} instead of ${point.systemIdentifier}`);
  }
  if (control.minimumRecoveryTimeline !== point.timeline) {
    wrong.push(`timeline ${control.minimumRecoveryTimeline} instead of ${point.timeline}`);
  }
  if (control.state !== 'shut down in recovery') {
    wrong.push(`state "${control.state}" instead of "shut down in recovery"`);
  }
  if (control.insideBackup) wrong.push('the end of the base backup was not reached');
  if (lsnToNumber(control.minimumRecoveryEnd) > lsnToNumber(restored.lsn)) {
    wrong.push(`consistent only from ${control.minimumRecoveryEnd} on, paused at ${restored.lsn}`);
  }
  if (wrong.length > 0) {
    throw verificationFailed(
      heading,
      `${wrong.join('; ')}.`,
      'Check stanza and backup set, then restore again.',
    );
  }
  return `system ${control.systemIdentifier}, timeline ${point.timeline}, ${control.state}, consistent at ${control.minimumRecoveryEnd}`;
}

async function checkPages(
  heading: Heading,
  target: DatabaseAt,
  program: string,
  update: Update,
): Promise<string> {
  const { dataDirectory, account } = target.postgres.service;
  const lines: string[] = [];
  const outcome = await runTool(program, ['--check', '--progress', '-D', dataDirectory], {
    account,
    env: { LC_ALL: 'C' },
    timeoutMs: CHECKSUMS_MS,
    signal: activitySignal(),
    onLine: (line) => lines.push(line),
    onErrorLine: (line) => {
      const [, done, total] = /(\d+)\/(\d+) MB \(\d+%\) computed/.exec(line.split('\r').at(-1) ?? '') ?? [];
      if (done === undefined || total === undefined) return;
      update({
        done: Number(done) * 1024 ** 2,
        total: Number(total) * 1024 ** 2,
        unit: 'bytes',
        text: 'comparing pages with their checksums',
      });
    },
  });
  const report = parseChecksums(lines.join('\n'), outcome.stderr);
  if (outcome.exitCode === 0 && report.bad === 0 && report.blocks > 0) {
    return `${formatCount(report.blocks)} pages (${formatBytes(report.blocks * 8192)}) in ${formatCount(report.files)} files, none with a bad checksum`;
  }
  const named = report.named.map((one) => `${one.file}, block ${one.block}`);
  const found =
    report.bad > 0
      ? `${formatCount(report.bad)} pages with a bad checksum: ${named.slice(0, 3).join('; ') || 'not named'}.`
      : `pg_checksums could not check them: ${report.errors.slice(0, 3).join('; ') || `it ended with ${outcome.exitCode}`}.`;
  throw verificationFailed(
    heading,
    found,
    'Restore again from another repository or an older backup set: these files are damaged in the copy.',
    { bad: report.bad, ...(named[0] === undefined ? {} : { first: named[0] }) },
  );
}
