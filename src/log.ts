import pino, { type Logger } from 'pino';

/** Structured log on standard error: standard output belongs to results. */
export function createLog(name: string): Logger {
  return pino(
    { name, level: process.env.MUSTER_LOG_LEVEL ?? 'info' },
    pino.destination({ dest: 2, sync: true }),
  );
}

export type { Logger };
