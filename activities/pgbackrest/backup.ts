/** Taking one backup into one repository (pgBackRest: command reference, `backup`). */
import type { DatabaseAt } from '../contract.js';
import { type CommandOutcome, MOVING_SECONDS, type PgbackrestScope, runPgbackrest } from './command.js';

const BACKUP_MS = 24 * 3_600_000;

/**
 * Nothing is expired: old backups stand still (`--no-expire-auto`). What was made is found by asking the repository.
 *
 * @param show how much is copied, 0 to 1
 * @returns the outcome; a non-zero exit is none of its errors
 * @throws what `runPgbackrest` throws
 */
export function runBackup(
  scope: PgbackrestScope,
  { postgres }: DatabaseAt,
  order: { readonly repository: number; readonly type: 'full' | 'diff' | 'incr'; readonly processes: number },
  show: (share: number) => void,
): Promise<CommandOutcome> {
  const { service, port } = postgres;
  return runPgbackrest(
    scope,
    [
      `--repo=${order.repository}`,
      `--pg1-path=${service.dataDirectory}`,
      `--pg1-port=${port}`,
      `--pg1-socket-path=${service.socketDirectory}`,
      `--type=${order.type}`,
      '--start-fast',
      `--process-max=${order.processes}`,
      '--no-expire-auto',
      'backup',
    ],
    {
      timeoutMs: BACKUP_MS,
      console: 'detail',
      stderr: 'off',
      silenceSeconds: MOVING_SECONDS,
      onMessageLine: (line) => {
        const percent = /backup file .*?, ([\d.]+)%\)/.exec(line)?.[1];
        if (percent !== undefined) show(Number(percent) / 100);
      },
    },
  );
}
