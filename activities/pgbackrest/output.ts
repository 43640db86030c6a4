/** Reading what pgBackRest prints. */

export interface LogMessage {
  readonly level: 'ERROR' | 'WARN' | 'INFO' | 'DETAIL';
  /** pgBackRest's error code, on errors. */
  readonly code?: number;
  /** Continuation lines are joined with a line break. */
  readonly text: string;
}

const LINE =
  /^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} )?(?:P\d\d )? *(ERROR|WARN|INFO|DETAIL): (?:\[(\d{3})\]: )?(.*)$/;

/** One line of a log as a message; undefined: it continues the one before, or is none. */
export function parseLogLine(line: string): LogMessage | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [, level, code, text = ''] = match;
  return {
    level: level as LogMessage['level'],
    ...(code === undefined ? {} : { code: Number(code) }),
    text: printable(text),
  };
}

/** Gathers messages from lines as they come; only the levels asked for are kept. */
export function collectMessages(levels: readonly LogMessage['level'][]): {
  readonly add: (line: string) => void;
  readonly messages: readonly LogMessage[];
} {
  const messages: LogMessage[] = [];
  let open = false;
  return {
    messages,
    add(line) {
      const message = parseLogLine(line);
      if (message !== undefined) {
        open = levels.includes(message.level);
        if (open) messages.push(message);
        return;
      }
      const last = messages.at(-1);
      if (open && last !== undefined && /^\s+\S/.test(line)) {
        messages[messages.length - 1] = { ...last, text: `${last.text}\n${printable(line.trim())}` };
      }
    },
  };
}

/** Fit for a person to read: a wrong key makes pgBackRest print what it deciphered. */
export function printable(text: string): string {
  const shown = text.replace(/(key\/value found outside of section).*/s, '$1').replace(/[^\x20-\x7e]+/g, '?');
  return shown.length > 400 ? `${shown.slice(0, 400)}...` : shown;
}

/** A `restore file` line of the restore command at detail level. */
export interface RestoredFile {
  /** Whether the file was already there with the right content. */
  readonly unchanged: boolean;
  /** As printed, so only to about a percent. */
  readonly bytes: number;
  readonly percent: number;
}

const FILE =
  /restore (?:zeroed )?file \S.*?( - exists and (?:is zero size|matches (?:backup|size|size and timestamp).*?))? \((?:bundle \S+, )?([\d.]+)([KMGTP]?B), ([\d.]+)%\)/;

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
  PB: 1024 ** 5,
};

export function parseRestoredFile(text: string): RestoredFile | undefined {
  const match = FILE.exec(text);
  if (match === null) return undefined;
  const [, unchanged, size, unit = 'B', percent] = match;
  return {
    unchanged: unchanged !== undefined,
    bytes: Math.round(Number(size) * (UNITS[unit] ?? 1)),
    percent: Number(percent),
  };
}
