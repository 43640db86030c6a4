import { z } from 'zod';
import { type MusterError, PermanentError, TransientError } from '../../src/errors.js';
import { failureOf, type PgbackrestScope, runPgbackrest } from './command.js';
import { printable } from './output.js';

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
  /** Where it begins and ends in the log; older versions of pgBackRest do not tell. */
  lsn: z.object({ start: z.string().nullable(), stop: z.string().nullable() }).nullish(),
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

/**
 * Reads the JSON of `pgbackrest info`. System identifiers are kept as text. What a wrong key deciphers stands in it as it is,
 * so that control characters are no fault.
 */
export function parseInfo(json: string): readonly StanzaInfo[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is meant
  const readable = json.replace(/[\u0000-\u001f]/g, ' ').replace(/("system-id":)\s*(\d+)/g, '$1"$2"');
  return z.array(stanzaSchema).parse(JSON.parse(readable));
}

/**
 * What one repository holds of a stanza. pgBackRest exits 0 for a stanza that it does not know and for a repository that it
 * cannot read: the status in its JSON counts (manual: command reference, info).
 *
 * @throws TransientError `RepositoryUnreachable`; PermanentError `StanzaMissing`, `WrongRepositoryKey`; what a failed
 *   command throws
 */
export async function readInfo(scope: PgbackrestScope, repository: number): Promise<StanzaInfo> {
  const outcome = await runPgbackrest(scope, [`--repo=${repository}`, '--output=json', 'info'], {
    timeoutMs: 120_000,
  });
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
  const trouble = stanza?.repo.find((one) => one.key === repository && one.status.code === OTHER_TROUBLE);
  if (trouble !== undefined) throw unreadable(scope, repository, trouble.status.message);
  if (stanza !== undefined && stanza.status.code !== 1) return stanza;
  throw new PermanentError(
    'StanzaMissing',
    `${scope.config} leads to no stanza ${scope.stanza} in repository ${repository}.`,
    { next: 'Check the stanza in the runbook (backups.<name>.stanza) and the repositories in that file.' },
  );
}

/** Status of a repository about which the message says more. */
const OTHER_TROUBLE = 99;
/** pgBackRest's exit codes, as its other commands end with for the same. */
const FORMAT = 29;
const NOT_REACHABLE = 49;

// The command exits 0, so it is worded as the failure that it is.
function unreadable(scope: PgbackrestScope, repository: number, said: string): MusterError {
  const outcome = {
    exitCode: /\[(?:Format|Crypto|Checksum)Error\]/.test(said) ? FORMAT : NOT_REACHABLE,
    stdout: '',
    stderr: '',
    durationMs: 0,
    messages: [{ level: 'ERROR' as const, text: said.split('\n').map(printable).join('\n') }],
  };
  const next = `See what is wrong with repository ${repository} in ${scope.config}; another one may do.`;
  return failureOf(scope, outcome, `Reading repository ${repository} of ${scope.stanza}`, next).error;
}

/** The backups of one repository, oldest first. */
export function backupsIn(info: StanzaInfo, repository: number): readonly BackupInfo[] {
  return info.backup
    .filter((one) => one.database['repo-key'] === repository && one.error !== true)
    .sort((a, b) => a.timestamp.stop - b.timestamp.stop);
}
