/** A recovery point in words and figures, as approvers and the report get it. */
import { formatCount } from '../../src/model/format.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { RecoveryPoint } from '../contract.js';
import { repositoryName } from '../pgbackrest/command.js';
import type { Candidate } from './candidates.js';
import { type Losses, lossesInWords } from './losses.js';
import { momentOf } from './moment.js';

export function describePoint({
  best,
  usable,
  backup,
  time,
  asked,
  through,
  losses,
  notes,
}: {
  readonly best: Candidate;
  /** Best first. */
  readonly usable: readonly Candidate[];
  readonly backup: PgbackrestBackup;
  readonly time: string;
  readonly asked: string;
  readonly through?: RecoveryPoint['through'];
  readonly losses: Losses;
  readonly notes: readonly string[];
}): RecoveryPoint {
  const { label, type, timestamp, info, archive } = best.backup;
  const what = through === undefined ? time : `all that is archived, through the commit of ${through.at}`;
  const facts = [
    `${what}: backup ${label} from ${repositoryName(backup, best.repository)} and ${formatCount(best.segments.length)} WAL segments`,
    ...lossesInWords(losses),
    ...notes,
  ];
  return {
    time,
    asked,
    ...(through === undefined ? {} : { through }),
    systemIdentifier: best.systemIdentifier,
    timeline: best.timeline,
    backup: {
      label,
      repository: best.repository,
      type,
      stoppedAt: momentOf(timestamp.stop),
      databaseBytes: info.size,
      walStart: archive.start ?? best.segments[0] ?? '',
    },
    usableRepositories: usable.map(({ repository }) => repository),
    walSegments: best.segments.length,
    walEnd: best.segments.at(-1) ?? '',
    loses: losses.loses,
    summary: facts.join('; '),
  };
}
