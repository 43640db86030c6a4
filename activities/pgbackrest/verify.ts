import { TransientError } from '../../src/errors.js';
import { runTool } from '../../src/process.js';
import { failureOf, MOVING_SECONDS, type PgbackrestScope, runPgbackrest } from './command.js';
import { collectMessages } from './output.js';
import { parseVerifyReport, parseWrongFile, type VerifyReport, type WrongFile } from './verify-report.js';

/** Slower than this no repository is read. */
const SLOWEST_BYTES_PER_MS = 5_000;
const LEAST_MS = 60_000;

/**
 * How long a verify is waited for: one that meets some kinds of damage waits for ever (2.45).
 *
 * @param bytes that it has to read
 */
export function verifyPatienceMs(bytes: number): number {
  return LEAST_MS + bytes / SLOWEST_BYTES_PER_MS;
}

export interface Verified {
  readonly report: VerifyReport;
  readonly wrong: readonly WrongFile[];
}

/**
 * Verifies a repository, giving way to everything else on the machine.
 *
 * @param label only this set, where pgBackRest can; see `canVerifyOneSet`
 * @throws what a command throws that could not be run; what is found is no error
 */
export async function runVerify(
  scope: PgbackrestScope,
  repository: number,
  label: string | undefined,
  timeoutMs: number,
): Promise<Verified> {
  const outcome = await runPgbackrest(
    scope,
    [
      `--repo=${repository}`,
      '--output=text',
      '--verbose',
      ...(label === undefined ? [] : [`--set=${label}`]),
      'verify',
    ],
    { timeoutMs, stderr: 'info', background: true, silenceSeconds: MOVING_SECONDS },
  );
  if (outcome.exitCode !== 0) {
    const what = `Verifying repository ${repository}`;
    throw failureOf(scope, outcome, what, `Check ${scope.config} and the repository, then retry the step.`)
      .error;
  }
  const log = collectMessages(['INFO']);
  for (const line of outcome.stderr.split('\n')) log.add(line);
  const wrong = log.messages.flatMap((message) => parseWrongFile(message.text) ?? []);
  const report = parseVerifyReport(outcome.stdout);
  if (Object.keys(report.backups).length > 0 || report.remarks.length > 0) return { report, wrong };
  throw new TransientError(
    'VerifyReportUnreadable',
    `pgBackRest's verify said nothing about repository ${repository}.`,
    {
      next: 'Run pgbackrest verify --output=text --verbose by hand; the step tries again by itself for a while.',
    },
  );
}

/** Up to 2.45 verify takes `--set` and ignores it without a word; its help tells whether it means it. */
export async function canVerifyOneSet(): Promise<boolean> {
  const { stdout } = await runTool('pgbackrest', ['help', 'verify'], { timeoutMs: 10_000 });
  return /^ +--set /m.test(stdout);
}

const NAMING_MS = 5 * 60_000;

/**
 * Which files of a set are damaged, for a restore that failed without naming one. Empty where that cannot be told in a few
 * minutes.
 */
export async function nameDamage(
  scope: PgbackrestScope,
  repository: number,
  label: string,
): Promise<readonly WrongFile[]> {
  try {
    const { wrong } = await runVerify(scope, repository, undefined, NAMING_MS);
    return wrong.filter((one) => one.file.startsWith(`${label}/`));
  } catch {
    return [];
  }
}
