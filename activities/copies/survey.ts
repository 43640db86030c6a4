/** Where copies of a database are, how new they are, and whether they can be read. Nothing is changed anywhere. */
import { formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { activitySignal } from '../context.js';
import type { CopiesActivities, CopiesSurvey, SurveyedCopy } from '../contract.js';
import { countLosses } from '../point/losses.js';
import { countMissing } from '../standby/missing.js';
import { onStandby, readFacts } from '../standby/state.js';
import { answering } from './answer.js';
import { surveyArchives } from './archives.js';
import { surveyDamaged } from './damaged.js';
import { surveyRepository } from './repository.js';

type Input = Parameters<CopiesActivities['surveyCopies']>[0];

/** Of what loses the same, what takes less to bring up comes first. */
const ORDER: Readonly<Record<SurveyedCopy['kind'], number>> = {
  standby: 0,
  backup: 1,
  damaged: 2,
  archive: 3,
};

export async function surveyCopies(
  input: Input,
  update: (progress: Progress) => void,
): Promise<CopiesSurvey> {
  const looks: readonly (() => Promise<readonly SurveyedCopy[]>)[] = [
    () => standbyCopy(input),
    ...repositoriesOf(input),
    () => damagedCopy(input),
    ...Object.keys(input.archives).map((name) => () => surveyArchives(input, name)),
  ];
  let done = 0;
  const found = await Promise.all(
    looks.map(async (look) => {
      const copies = await look();
      done += 1;
      update({ done, total: looks.length, unit: 'resources', text: 'looking at every copy' });
      return copies;
    }),
  );
  const copies = found.flat().sort(byLoss);
  const databaseBytes = Math.max(
    0,
    ...copies.map(({ point, bytes }) => bytes ?? point?.backup.databaseBytes ?? 0),
  );
  const best = copies.find(({ unusable }) => unusable === null);
  const usable = copies.filter(({ unusable }) => unusable === null).length;
  return {
    copies,
    databaseBytes,
    summary: `${formatCount(copies.length)} copies found, ${formatCount(usable)} worth a try; ${best === undefined ? 'NONE CAN BE USED' : `the least is lost with ${best.title}${best.newestAt === null ? '' : `, which leads to ${best.newestAt}`}`}`,
  };
}

function repositoriesOf({ backup, ...input }: Input): readonly (() => Promise<readonly SurveyedCopy[]>)[] {
  if (backup.driver === 'archive') return [];
  return backup.repositories.map(
    ({ number }) =>
      () =>
        surveyRepository({ ...input, backup }, number),
  );
}

function byLoss(one: SurveyedCopy, other: SurveyedCopy): number {
  if ((one.unusable === null) !== (other.unusable === null)) return one.unusable === null ? -1 : 1;
  const [a, b] = [one.newestAt ?? '', other.newestAt ?? ''];
  if (a !== b) return a > b ? -1 : 1;
  // Of backups the newer one; of one archive the copy that the runbook names first.
  const later = one.kind === 'archive' ? 1 : -1;
  return ORDER[one.kind] - ORDER[other.kind] || (one.id > other.id ? later : -later);
}

async function standbyCopy({ standby, dataClasses }: Input): Promise<readonly SurveyedCopy[]> {
  if (standby === null) return [];
  const head = { id: 'standby', kind: 'standby' as const, title: `the standby at ${standby.site}` };
  return answering(head, async () =>
    onStandby(standby, async (client) => {
      const facts = await readFacts(client);
      const { loses, lossUnknown } = await countMissing(client, dataClasses, facts.time);
      const { rows } = await client.query<{ bytes: string }>(
        'select sum(pg_database_size(oid))::text as bytes from pg_database',
      );
      return {
        newestAt: facts.time,
        bytes: Number(rows[0]?.bytes ?? 0),
        unusable: facts.inRecovery ? null : 'it is no standby: it takes writes',
        says: `timeline ${facts.timeline} at ${facts.replayedLsn ?? 'nowhere'}, newest commit ${facts.lastCommitAt ?? 'unknown'}; its pages are compared with their checksums when it is copied`,
        loses,
        lossUnknown,
      };
    }),
  );
}

async function damagedCopy({ damaged, dataClasses }: Input): Promise<readonly SurveyedCopy[]> {
  const head = {
    id: 'damaged',
    kind: 'damaged' as const,
    title: `the damaged server at ${damaged.site} itself`,
  };
  return answering(head, async () => {
    const seen = await surveyDamaged(damaged);
    return { ...seen, ...(await lossesAfter(dataClasses, seen.newestAt)) };
  });
}

/** What was acknowledged after the newest commit of a copy. */
export async function lossesAfter(
  dataClasses: Input['dataClasses'],
  newestAt: string | null,
): Promise<Pick<SurveyedCopy, 'loses' | 'lossUnknown'>> {
  if (newestAt === null) return { loses: {}, lossUnknown: Object.keys(dataClasses) };
  const { loses, unknown } = await countLosses(dataClasses, newestAt, activitySignal());
  return { loses, lossUnknown: unknown };
}
