import { type MusterError, PermanentError, TransientError } from '../../src/errors.js';
import { type RunOptions, type RunOutcome, runTool } from '../../src/process.js';
import { backupConfigOf } from '../../src/runbook/backup-config.js';
import type { PgbackrestBackup, PostgresSite } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import { meaningOfExit } from './exit.js';
import { collectMessages, type LogMessage } from './output.js';

/** The cluster that a command is for. Credentials stay in the configuration file, never in argv. */
export interface PgbackrestScope {
  readonly account: string;
  readonly config: string;
  readonly stanza: string;
}

export function scopeOf(postgres: PostgresSite, backup: PgbackrestBackup): PgbackrestScope {
  return { account: postgres.service.account, config: backupConfigOf(postgres), stanza: backup.stanza };
}

export interface CommandOptions {
  readonly timeoutMs: number;
  /** Least level on standard output; off where standard output is data. */
  readonly console?: 'off' | 'info' | 'detail';
  /** Least level on standard error. */
  readonly stderr?: 'off' | 'warn' | 'info';
  readonly onMessageLine?: (line: string) => void;
  readonly background?: true;
  /** Is given standard output as a stream, which is then not collected. */
  readonly consume?: NonNullable<RunOptions['consume']>;
  /**
   * How long the repository may be silent. pgBackRest tries about four times, so a dead one is given up after four times
   * this; its own default of 60 s makes a restore wait for eight minutes (tried with 2.45).
   */
  readonly silenceSeconds?: number;
}

/** For commands that only ask. */
const ASKING_SECONDS = 5;
/** For commands that move much data: a store under load may pause. */
export const MOVING_SECONDS = 20;

export interface CommandOutcome extends RunOutcome {
  /** Warnings and errors, from both outputs. */
  readonly messages: readonly LogMessage[];
}

/**
 * Runs a pgBackRest command as the account of the cluster. A non-zero exit is an outcome.
 *
 * @param args options and, last, the command
 * @throws PermanentError `ToolMissing`, `ToolTimedOut`
 */
export async function runPgbackrest(
  scope: PgbackrestScope,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandOutcome> {
  const { console: level = 'off', stderr = 'warn' } = options;
  const kept = collectMessages(['ERROR', 'WARN']);
  const outcome = await runTool(
    'pgbackrest',
    [
      `--config=${scope.config}`,
      `--stanza=${scope.stanza}`,
      `--log-level-console=${level}`,
      `--log-level-stderr=${stderr}`,
      `--io-timeout=${options.silenceSeconds ?? ASKING_SECONDS}`,
      ...args,
    ],
    {
      account: scope.account,
      timeoutMs: options.timeoutMs,
      signal: activitySignal(),
      // Its helpers wait for a store that is silent long after it has given up (2.45).
      leavesNothing: true,
      ...(options.background === true ? { background: true } : {}),
      ...(options.consume === undefined ? {} : { consume: options.consume }),
      ...(level === 'off'
        ? {}
        : {
            onLine: (line: string) => {
              kept.add(line);
              options.onMessageLine?.(line);
            },
          }),
    },
  );
  for (const line of `${level === 'off' ? outcome.stdout.slice(0, 4096) : ''}\n${outcome.stderr}`.split(
    '\n',
  )) {
    kept.add(line);
  }
  return { ...outcome, messages: kept.messages };
}

/** Thrown for a command that failed, with what pgBackRest said; `repositoryFault`: another repository may do. */
export interface CommandFailure {
  readonly error: MusterError;
  readonly repositoryFault: boolean;
  readonly exitCode: number;
}

/**
 * Words a failed command for a person.
 *
 * @param what for instance `The restore of 20261121-013000F from repository 1 (west)`
 * @param next what to do where nothing better is known
 */
export function failureOf(
  scope: PgbackrestScope,
  outcome: CommandOutcome,
  what: string,
  next: string,
): CommandFailure {
  const { name, meaning, repository } = meaningOfExit(outcome.exitCode);
  const said = outcome.messages.filter((message) => message.level === 'ERROR').map((message) => message.text);
  const warned = outcome.messages
    .filter((message) => message.level === 'WARN')
    .map((message) => message.text);
  const words = firstLines(said.join('\n') || outcome.stderr.trim(), 2);
  const message = `${what} failed (pgBackRest ${outcome.exitCode}, ${name})${words === '' ? '' : `: ${words.replace(/[.:;,]+$/, '')}`}.`;
  const details = { exitCode: outcome.exitCode, exit: name, stanza: scope.stanza };
  const why = warned.length > 0 ? { why: firstLines(warned.join('\n'), 3) } : {};
  const known = knownTrouble(scope, [...said, ...warned].join('\n'));
  if (known !== undefined) {
    const { transient, code, ...facts } = known;
    const kind = transient ? TransientError : PermanentError;
    return {
      error: new kind(code, message, { ...why, ...facts, details }),
      repositoryFault: true,
      exitCode: outcome.exitCode,
    };
  }
  const kind = meaning === 'retry' ? TransientError : PermanentError;
  return {
    error: new kind(codeOf(outcome.exitCode), message, { ...why, next, details }),
    repositoryFault: repository === true,
    exitCode: outcome.exitCode,
  };
}

/** Where a restore cannot even read the list of backups it calls the set invalid; the warnings before tell the cause. */
function knownTrouble(
  { config }: PgbackrestScope,
  said: string,
): { code: string; transient: boolean; next: string; why?: string } | undefined {
  // A store that takes the connection and then says nothing ends repo-ls with 42, file read (tried with 2.45).
  const unreachable =
    /\[HostConnectError\]|unable to connect to|\[ServiceError\]|timeout after \d+ms waiting for (?:read|write) /;
  if (unreachable.test(said)) {
    return {
      code: 'RepositoryUnreachable',
      transient: true,
      next: 'See whether the object store answers; the step tries again by itself for a while.',
    };
  }
  if (/HTTP request failed with 40[13]/.test(said)) {
    return {
      code: 'RepositoryDenied',
      transient: false,
      why: `The object store refuses the key in ${config}.`,
      next: `Put a valid key into ${config} (repo-s3-key, repo-s3-key-secret), then retry the step.`,
    };
  }
  const undecipherable = /key\/value found outside of section|unable to (?:flush|decrypt)|\[CryptoError\]/;
  if (undecipherable.test(said) && /backup\.info|archive\.info/.test(said)) {
    return {
      code: 'WrongRepositoryKey',
      transient: false,
      why: `The repository cannot be deciphered: its passphrase is not the one in ${config} (repo-cipher-pass).`,
      next: `Put the passphrase that the repository was made with into ${config}, then retry the step.`,
    };
  }
  return undefined;
}

function codeOf(exitCode: number): string {
  switch (exitCode) {
    case 26:
    case 28:
    case 29:
    case 55:
    case 95:
      return 'BackupDamaged';
    case 75:
      return 'BackupSetInvalid';
    case 49:
    case 101:
    case 103:
      return 'RepositoryUnreachable';
    case 50:
      return 'BackupLocked';
    default:
      return 'PgbackrestFailed';
  }
}

function firstLines(text: string, count: number): string {
  return text
    .split('\n')
    .filter((line) => line !== '' && !/on retry after/.test(line))
    .slice(0, count)
    .join(' ');
}

let version: string | undefined;

/** For instance `2.45`. */
export async function pgbackrestVersion(): Promise<string> {
  if (version === undefined) {
    const outcome = await runTool('pgbackrest', ['version'], { timeoutMs: 10_000 });
    version = outcome.stdout.trim().replace(/^pgBackRest /, '');
  }
  return version;
}

/** How people are told which repository is meant: `repository 1 (S3 us-west-2)`. */
export function repositoryName(backup: PgbackrestBackup, number: number): string {
  const title = backup.repositories.find((one) => one.number === number)?.title;
  return title === undefined ? `repository ${number}` : `repository ${number} (${title})`;
}
