/** What one backup of a repository consists of, file by file, so that it can be damaged at places that are known by name. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { type PgbackrestScope, runPgbackrest, scopeOf } from '../../activities/pgbackrest/command.js';
import { runVerify } from '../../activities/pgbackrest/verify.js';
import type { RecoveryPoint } from '../../activities/results.js';
import { problemOf } from '../../activities/verify/repository-problem.js';
import type { TestCluster } from './cluster.js';
import { byDistinctFile, type Place, seed } from './damage.js';

const REPOSITORY = 1;
/** So many files are damaged at once: each is told by its name. */
const AT_ONCE = 20;

export interface Damageable {
  readonly scope: PgbackrestScope;
  readonly point: RecoveryPoint;
  /** Folder of the repository. */
  readonly folder: string;
  readonly label: string;
  /** Every stored file of the backup, of a bundle each one in it. */
  readonly members: readonly Member[];
  /** The WAL that the point needs. */
  readonly segments: readonly string[];
  /** Its lists, each of which is there twice. */
  readonly lists: readonly string[];
}

/** A stored file: a range of bytes of a file on disk. */
interface Member {
  readonly name: string;
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** A place with the name under which pgBackRest knows what is there. */
export interface NamedPlace extends Place {
  readonly name: string;
}

/** @param root folder of a copy of the cluster's repositories, `config` leads to */
export async function damageable(cluster: TestCluster, config: string, root: string): Promise<Damageable> {
  const { postgres } = cluster.withConfig(config);
  const scope = scopeOf(postgres, cluster.backup);
  const point = cluster.point(cluster.marks.twoHundred, [REPOSITORY]);
  const folder = join(root, `repo${REPOSITORY}`);
  const { label } = point.backup;
  const backup = join(folder, 'backup', scope.stanza);
  const outcome = await runPgbackrest(
    scope,
    [`--repo=${REPOSITORY}`, 'repo-get', `backup/${scope.stanza}/${label}/backup.manifest`],
    { timeoutMs: 60_000 },
  );
  const archive = join(folder, 'archive', scope.stanza);
  const wal = join(archive, '15-1', point.walEnd.slice(0, 16));
  const segments = (await readdir(wal)).filter(
    (name) =>
      /^[0-9A-F]{24}-/.test(name) &&
      name.slice(0, 24) >= point.backup.walStart &&
      name.slice(0, 24) <= point.walEnd,
  );
  const lists = [
    join(backup, 'backup.info'),
    join(archive, 'archive.info'),
    join(backup, label, 'backup.manifest'),
  ];
  return {
    ...{ scope, point, folder, label },
    members: membersOf(outcome.stdout, join(backup, label)),
    segments: segments.map((name) => join(wal, name)),
    lists: lists.flatMap((list) => [list, `${list}.copy`]),
  };
}

/** As the section `target:file` of a manifest tells them (pgBackRest 2.45: bundle, offset in it, size in the repository). */
function membersOf(manifest: string, folder: string): Member[] {
  const section = /\n\[target:file\]\n([\s\S]*?)\n\n\[/.exec(manifest)?.[1] ?? '';
  return section.split('\n').flatMap((line) => {
    const [, name = '', json = '{}'] = /^(.*?)=(\{.*\})$/.exec(line) ?? [];
    const { bni, bno = 0, 'repo-size': stored, size } = JSON.parse(json) as Readonly<Record<string, number>>;
    const bytes = stored ?? size ?? 0;
    if (name === '' || bytes === 0) return [];
    const file = bni === undefined ? join(folder, `${name}.zst`) : join(folder, 'bundle', String(bni));
    return [{ name, file, offset: bno, bytes }];
  });
}

/** Places in files of a backup, each of them as likely as another. */
export function placesIn({ members }: Damageable, count: number): NamedPlace[] {
  const place = fc
    .constantFrom(...members)
    .chain(({ name, file, offset, bytes }) =>
      fc.nat(bytes * 8 - 1).map((bit) => ({ name, file, bit: offset * 8 + bit })),
    );
  return fc.sample(fc.noBias(place), { numRuns: count, seed });
}

/** Groups that can be told apart by name. */
export function groupsOf(places: readonly NamedPlace[]): readonly (readonly NamedPlace[])[] {
  const named = places.map((place) => ({ file: place.name, bit: 0, place }));
  return byDistinctFile(named, AT_ONCE).map((group) =>
    group.map((one) => (one as (typeof named)[number]).place),
  );
}

/** What rung 1 says of the repository as it is now, and which of the given files it names as damaged. */
export async function verified(
  { scope, point, label }: Damageable,
  names: readonly string[],
): Promise<{ readonly problem: string | undefined; readonly unnamed: readonly string[] }> {
  const { report, wrong } = await runVerify(scope, REPOSITORY, undefined, 60_000);
  const chosen = { archive: { start: point.backup.walStart, stop: point.backup.walStart } };
  const problem = problemOf(report, wrong, [label], '15-1', chosen, point);
  const unnamed = names.filter((name) => !wrong.some(({ file }) => file.includes(name)));
  return { problem, unnamed };
}
