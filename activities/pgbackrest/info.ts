import { z } from 'zod';
import { PermanentError, TransientError } from '../../src/errors.js';
import { failureOf, type PgbackrestScope, runPgbackrest } from './command.js';

const statusSchema = z.object({ code: z.number().int(), message: z.string() });
const backupSchema = z.object({
  label: z.string(),
  type: z.enum(['full', 'diff', 'incr']),
  prior: z.string().nullish(),
  /** Backups whose files this one refers to. */
  reference: z.array(z.string()).nullish(),
  error: z.boolean().nullish(),
  archive: z.object({ start: z.string().nullable(), stop: z.string().nullable() }),
  database: z.object({ id: z.number(), 'repo-key': z.number() }),
  info: z.object({
    size: z.number(),
    repository: z.object({ delta: z.number().optional(), size: z.number().optional() }),
  }),
  /** Unix seconds. */
  timestamp: z.object({ start: z.number(), stop: z.number() }),
});
const stanzaSchema = z.object({
  name: z.string(),
  archive: z.array(
    z.object({
      id: z.string(),
      min: z.string().nullable(),
      max: z.string().nullable(),
      database: z.object({ id: z.number(), 'repo-key': z.number() }),
    }),
  ),
  backup: z.array(backupSchema),
  db: z.array(
    z.object({
      id: z.number(),
      'repo-key': z.number(),
      // Larger than a double holds exactly: replaced by text before parsing.
      'system-id': z.string(),
      version: z.string(),
    }),
  ),
  repo: z.array(z.object({ key: z.number(), status: statusSchema })),
  status: statusSchema,
});

export type StanzaInfo = z.output<typeof stanzaSchema>;
export type BackupInfo = StanzaInfo['backup'][number];

/** Reads the JSON of `pgbackrest info`. System identifiers are kept as text. */
export function parseInfo(json: string): readonly StanzaInfo[] {
  return z.array(stanzaSchema).parse(JSON.parse(json.replace(/("system-id":)\s*(\d+)/g, '$1"$2"')));
}

/**
 * What pgBackRest knows of a stanza. It exits 0 for a stanza that it does not know: the status in its JSON counts
 * (manual: command reference, info).
 *
 * @param repository only this one; absent: all of them
 * @throws TransientError or PermanentError where the command fails, PermanentError `StanzaMissing`
 */
export async function readInfo(scope: PgbackrestScope, repository?: number): Promise<StanzaInfo> {
  const outcome = await runPgbackrest(
    scope,
    [...(repository === undefined ? [] : [`--repo=${repository}`]), '--output=json', 'info'],
    { timeoutMs: 120_000 },
  );
  if (outcome.exitCode !== 0) {
    throw failureOf(
      scope,
      outcome,
      `Reading the list of backups of ${scope.stanza}`,
      `Check ${scope.config}.`,
    ).error;
  }
  let stanzas: readonly StanzaInfo[];
  try {
    stanzas = parseInfo(outcome.stdout);
  } catch (error) {
    throw new TransientError('InfoUnreadable', 'The answer of pgbackrest info cannot be read.', {
      next: 'Run pgbackrest info by hand; the step tries again by itself for a while.',
      cause: error,
    });
  }
  const stanza = stanzas.find((one) => one.name === scope.stanza);
  if (stanza !== undefined && stanza.status.code !== 1) return stanza;
  throw new PermanentError(
    'StanzaMissing',
    `${scope.config} leads to no stanza ${scope.stanza}${repository === undefined ? '' : ` in repository ${repository}`}.`,
    { next: 'Check the stanza in the runbook (backups.<name>.stanza) and the repositories in that file.' },
  );
}

/** The backups of one repository, oldest first. */
export function backupsIn(info: StanzaInfo, repository: number): readonly BackupInfo[] {
  return info.backup
    .filter((one) => one.database['repo-key'] === repository && one.error !== true)
    .sort((a, b) => a.timestamp.stop - b.timestamp.stop);
}
