import { open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';

/** What a server's log says of a recovery since it was started (messages of PostgreSQL 13 to 18, C locale). */
export interface RecoveryLog {
  segments: number;
  lastSegment: string | undefined;
  acceptsReaders: boolean;
  /** The first commit or abort that was not replayed. */
  stoppedBefore: { readonly what: string; readonly at: string } | undefined;
  pausedAtEnd: boolean;
  lastCommit: string | undefined;
  lastPosition: string | undefined;
  /** Records that could not be read: the end of the log, or damage. */
  unreadable: string[];
  /** What the restore command complained about. */
  archiveErrors: string[];
  fatal: string[];
  shutDown: boolean;
}

export function emptyRecoveryLog(): RecoveryLog {
  return {
    segments: 0,
    lastSegment: undefined,
    acceptsReaders: false,
    stoppedBefore: undefined,
    pausedAtEnd: false,
    lastCommit: undefined,
    lastPosition: undefined,
    unreadable: [],
    archiveErrors: [],
    fatal: [],
    shutDown: false,
  };
}

const KEPT = 5;

/** Takes one line of the log into account. */
export function readLogLine(log: RecoveryLog, line: string): void {
  const keep = (list: string[], text: string) => {
    list.push(text);
    if (list.length > KEPT) list.shift();
  };
  const message = /(LOG|FATAL|PANIC|WARNING|ERROR): {1,2}(.*)$/.exec(line);
  const [, level, text = ''] = message ?? [];
  if (level === 'FATAL' || level === 'PANIC') {
    // A client that came too early is not a failure of the server.
    if (!/the database system is (not yet accepting|starting up|shutting down)/.test(text))
      keep(log.fatal, text);
    return;
  }
  // pgBackRest's own lines come through the restore command.
  if (level === 'ERROR' || /P\d\d +WARN:/.test(line)) {
    keep(log.archiveErrors, text === '' ? line.trim() : text);
    return;
  }
  const segment = /restored log file "([0-9A-F]{24})" from archive/.exec(text)?.[1];
  if (segment !== undefined) {
    log.segments += 1;
    log.lastSegment = segment;
    return;
  }
  const stop = /recovery stopping before (commit|abort|prepared? \w+).*?, time (.+)$/.exec(text);
  if (stop !== null) log.stoppedBefore = { what: stop[1] ?? 'commit', at: stop[2] ?? '' };
  if (/pausing at the end of recovery/.test(text)) log.pausedAtEnd = true;
  if (/ready to accept read[- ]only connections/.test(text)) log.acceptsReaders = true;
  if (/database system is shut down$/.test(text)) log.shutDown = true;
  log.lastCommit = /last completed transaction was at log time (.+)$/.exec(text)?.[1] ?? log.lastCommit;
  log.lastPosition = /redo done at ([0-9A-F]+\/[0-9A-F]+)/.exec(text)?.[1] ?? log.lastPosition;
  if (
    /^(invalid (record|magic|resource)|incorrect (resource|prev)|unexpected (pageaddr|timeline)|record with|WAL file is from|contrecord|there is no contrecord)/.test(
      text,
    ) ||
    /checksum in record at/.test(text)
  ) {
    keep(log.unreadable, text);
  }
}

/** Reads a growing log from a position on. */
export interface LogFollower {
  readonly log: RecoveryLog;
  /** Reads what came since; true when there was anything. */
  poll(): Promise<boolean>;
}

const CHUNK = 256 * 1024;

export function followServerLog(file: string, from: number): LogFollower {
  const log = emptyRecoveryLog();
  const decoder = new StringDecoder('utf8');
  let offset = from;
  let rest = '';
  return {
    log,
    async poll() {
      const size = await sizeOf(file);
      if (size <= offset) return false;
      const handle = await open(file, 'r');
      try {
        const buffer = Buffer.alloc(Math.min(CHUNK, size - offset));
        while (offset < size) {
          const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - offset), offset);
          if (bytesRead === 0) break;
          offset += bytesRead;
          const lines = (rest + decoder.write(buffer.subarray(0, bytesRead))).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) readLogLine(log, line);
        }
      } finally {
        await handle.close();
      }
      return true;
    },
  };
}

export async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

/** Looked through for the latest start of a server that runs already. */
const LOOK_BACK = 4 * 1024 * 1024;

/** Where in the log the server that runs now began; undefined: not found. */
export async function startOfNewestRun(file: string): Promise<number | undefined> {
  const size = await sizeOf(file);
  const from = Math.max(0, size - LOOK_BACK);
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const buffer = Buffer.alloc(size - from);
    await handle.read(buffer, 0, buffer.length, from);
    const at = buffer.lastIndexOf('LOG:  starting PostgreSQL ');
    return at < 0 ? undefined : from + at;
  } finally {
    await handle.close();
  }
}
