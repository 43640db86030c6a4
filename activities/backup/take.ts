/** A physical backup on the owner's schedule, whichever kind. */
import { MusterError, messageOf } from '../../src/errors.js';
import { formatBytes } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { scheduledAt } from '../context.js';
import type { MusterActivities } from '../contract.js';
import { runBackup } from '../pgbackrest/backup.js';
import { failureOf, repositoryName, scopeOf } from '../pgbackrest/command.js';
import { type BackupInfo, backupsIn, readInfo } from '../pgbackrest/info.js';
import type { BackupsTaken } from './contract.js';

type Input = Parameters<MusterActivities['takeBackup']>[0];

/** Into one repository after the other; one that fails keeps nothing from the others (pgBackRest: command reference, backup). */
export async function takeBackup(input: Input, update: (progress: Progress) => void): Promise<BackupsTaken> {
  const { backup } = input;
  const since = scheduledAt();
  const labels: BackupsTaken['labels'][number][] = [];
  const failures: (BackupsTaken['failures'][number] & { readonly error: MusterError })[] = [];
  for (const [index, { number }] of backup.repositories.entries()) {
    const name = repositoryName(backup, number);
    try {
      const made = await backUp(input, number, since, (share) =>
        update({
          done: Math.round((index + share) * 100),
          total: backup.repositories.length * 100,
          unit: 'files',
          text: `backing up into ${name}, percent`,
        }),
      );
      labels.push({
        repository: number,
        label: made.label,
        bytes: made.info.repository.delta ?? made.info.size,
      });
    } catch (error) {
      if (!(error instanceof MusterError)) throw error;
      failures.push({ repository: number, message: messageOf(error), error });
    }
  }
  const [first] = failures;
  if (labels.length === 0 && first !== undefined) throw first.error;
  return {
    labels,
    failures: failures.map(({ repository, message }) => ({ repository, message })),
    summary: [
      ...labels.map(
        ({ repository, label, bytes }) =>
          `${label} in ${repositoryName(backup, repository)}, ${formatBytes(bytes)}`,
      ),
      ...failures.map(
        ({ repository, message }) => `NOT in ${repositoryName(backup, repository)}: ${message}`,
      ),
    ].join('; '),
  };
}

async function backUp(
  { source, backup, type }: Input,
  repository: number,
  since: Date,
  show: (share: number) => void,
): Promise<BackupInfo> {
  const scope = scopeOf(source.postgres, backup);
  const list = async () => backupsIn(await readInfo(scope, repository), repository);
  const before = await list();
  // An earlier attempt has made it: pgBackRest tells whole seconds.
  const own = before.filter(({ timestamp }) => (timestamp.start + 1) * 1000 > since.getTime()).at(-1);
  if (own !== undefined) return own;
  const name = repositoryName(backup, repository);
  const outcome = await runBackup(scope, source, { repository, type, processes: backup.processes }, show);
  const next = `See that ${name} can be written to, then take the backup again.`;
  if (outcome.exitCode !== 0) throw failureOf(scope, outcome, `The backup into ${name}`, next).error;
  const known = new Set(before.map(({ label }) => label));
  const made = (await list()).filter(({ label }) => !known.has(label)).at(-1);
  if (made !== undefined) return made;
  throw failureOf(scope, outcome, `The backup into ${name} is not listed and`, next).error;
}
