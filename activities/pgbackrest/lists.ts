/** The lists of a repository, each of which is there twice: pgBackRest uses the good one without a word (2.45, verify too). */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type PgbackrestScope, runPgbackrest } from './command.js';

const READ_MS = 10 * 60_000;

/**
 * Deciphers both copies of `backup.info`, `archive.info` and the manifests, and compares them. While a backup is made they may
 * differ for a moment.
 *
 * @param labels backups whose manifests count
 * @returns what is wrong with them, a few words each; it is no failure, as long as pgBackRest can use one of each
 */
export async function damagedLists(
  scope: PgbackrestScope,
  repository: number,
  labels: readonly string[],
): Promise<readonly string[]> {
  const backup = `backup/${scope.stanza}`;
  const lists = [
    `${backup}/backup.info`,
    `archive/${scope.stanza}/archive.info`,
    ...labels.map((label) => `${backup}/${label}/backup.manifest`),
  ];
  const found = await Promise.all(
    lists.map(async (list) => {
      const [main, copy] = await Promise.all([
        sumOf(scope, repository, list),
        sumOf(scope, repository, `${list}.copy`),
      ]);
      const unreadable = [
        ...(main === undefined ? [list] : []),
        ...(copy === undefined ? [`${list}.copy`] : []),
      ];
      if (unreadable.length > 0) return [`${unreadable.join(' and ')} cannot be read`];
      return main === copy ? [] : [`${list} and its copy differ: one of them is damaged`];
    }),
  );
  return found.flat();
}

/** undefined: it cannot be read, or deciphered. */
async function sumOf(scope: PgbackrestScope, repository: number, file: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  const consume = async (output: Readable) => {
    for await (const chunk of output) {
      bytes += (chunk as Buffer).length;
      hash.update(chunk as Buffer);
    }
  };
  const { exitCode } = await runPgbackrest(scope, [`--repo=${repository}`, 'repo-get', file], {
    timeoutMs: READ_MS,
    consume,
  });
  return exitCode === 0 && bytes > 0 ? hash.digest('hex') : undefined;
}
