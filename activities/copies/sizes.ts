/**
 * Files of a backup that are shorter in the repository than its manifest says. `pgbackrest verify` may wait for ever over one in an
 * object store (2.45), so it is asked only where there is none. (Manifest: pgBackRest source, info/manifest.c: `bni` bundle, `bno` offset in it,
 * `repo-size` where it is not `size`, `reference` where an earlier backup holds the file.)
 */
import { MusterError, PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import { activitySignal } from '../context.js';
import { failureOf, type PgbackrestScope, runPgbackrest } from '../pgbackrest/command.js';

/** Both texts are held whole: about 200 bytes a file of the cluster. */
const ASK_MS = 10 * 60_000;

const PACKED = /\.(gz|lz4|zst|bz2)$/;

/** A file that ends too early, in words. */
export interface ShortFile {
  /** Below the backup's folder. */
  readonly file: string;
  readonly says: string;
}

/**
 * Reads the list and the manifest of a backup and compares them.
 *
 * @throws what a failed command throws; PermanentError `BackupDamaged` where neither manifest can be read
 */
export async function shortFiles(
  scope: PgbackrestScope,
  repository: number,
  label: string,
): Promise<readonly ShortFile[]> {
  const folder = `backup/${scope.stanza}/${label}`;
  const ask = async (what: string, ...args: string[]) => {
    const outcome = await runPgbackrest(scope, [`--repo=${repository}`, ...args], { timeoutMs: ASK_MS });
    if (outcome.exitCode === 0) return outcome.stdout;
    const failed = `Reading ${what} of ${label} in repository ${repository}`;
    throw failureOf(scope, outcome, failed, 'Use another copy.').error;
  };
  const stored = parseListing(await ask('the files', '--output=json', '--recurse', 'repo-ls', folder));
  // pgBackRest itself keeps it twice, and restores with either.
  for (const file of ['backup.manifest', 'backup.manifest.copy']) {
    const wanted = await ask('the manifest', 'repo-get', `${folder}/${file}`)
      .then(parseManifest)
      .catch((error: unknown) => {
        activitySignal().throwIfAborted();
        if (error instanceof MusterError || error instanceof SyntaxError) return undefined;
        throw error;
      });
    if (wanted !== undefined && wanted.size > 0) return compareSizes(wanted, stored);
  }
  throw new PermanentError('BackupDamaged', `The manifest of ${label} cannot be read in either place.`, {
    next: 'Use another copy.',
  });
}

/** @returns bytes by name, without the suffix of its compression */
export function parseListing(json: string): ReadonlyMap<string, number> {
  const listed = JSON.parse(json) as Readonly<Record<string, { type: string; size?: number }>>;
  return new Map(
    Object.entries(listed).flatMap(([name, { type, size }]) =>
      type === 'file' && size !== undefined ? [[name.replace(PACKED, ''), size] as const] : [],
    ),
  );
}

/** @returns by name of a file in the repository, where its content must end at the earliest */
export function parseManifest(text: string): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  let inFiles = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('[')) inFiles = line === '[target:file]';
    const [, name = '', json = ''] = (inFiles && /^([^=]+)=(\{.*\})$/.exec(line)) || [];
    if (name === '') continue;
    const { bni, bno = 0, size = 0, reference, ...rest } = JSON.parse(json) as ManifestFile;
    // An empty file is not stored; one of an earlier backup is looked at there.
    if (size === 0 || reference !== undefined) continue;
    const at = bni === undefined ? name : `bundle/${bni}`;
    ends.set(at, Math.max(ends.get(at) ?? 0, bno + (rest['repo-size'] ?? size)));
  }
  return ends;
}

interface ManifestFile {
  readonly bni?: number;
  readonly bno?: number;
  readonly size?: number;
  readonly 'repo-size'?: number;
  readonly reference?: string;
}

export function compareSizes(
  wanted: ReadonlyMap<string, number>,
  stored: ReadonlyMap<string, number>,
): readonly ShortFile[] {
  return [...wanted].flatMap(([file, end]): ShortFile[] => {
    const bytes = stored.get(file);
    if (bytes !== undefined && bytes >= end) return [];
    const says =
      bytes === undefined
        ? `${file} is missing`
        : `${file} has ${formatCount(bytes)} of ${formatCount(end)} bytes`;
    return [{ file, says }];
  });
}
