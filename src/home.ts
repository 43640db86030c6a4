/** Where Muster keeps what it must not lose on a machine: spool, reports, keys. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** MUSTER_HOME, else `/var/lib/muster` for root and `${XDG_STATE_HOME:-~/.local/state}/muster` for others. */
export function musterHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env.MUSTER_HOME) return resolve(env.MUSTER_HOME);
  if (process.getuid?.() === 0) return '/var/lib/muster';
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'muster');
}

/** Entries not yet in the store. */
export function spoolDirectory(home: string = musterHome()): string {
  return join(home, 'spool');
}

/** The report of one run; `runId` is made safe to be one folder's name. */
export function reportDirectory(runId: string, home: string = musterHome()): string {
  return join(home, 'reports', fileNameOf(runId));
}

/** Makes any identifier the name of exactly one file: no separators, never `.` or `..`. */
export function fileNameOf(identifier: string): string {
  return encodeURIComponent(identifier).replace(/^\.+/, (dots) => '%2E'.repeat(dots.length));
}
