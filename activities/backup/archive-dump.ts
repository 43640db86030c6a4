import { createReadStream } from 'node:fs';
import { chown, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import type { ArchivePart } from '../../src/archive/manifest.js';
import { type Destination, storePart } from '../../src/archive/part.js';
import { PermanentError } from '../../src/errors.js';
import { accountIds } from '../../src/process.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { runClient, wordsOf } from '../archive/client.js';
import type { DatabaseAt } from '../contract.js';

export interface Dump {
  readonly source: DatabaseAt;
  readonly database: string;
  readonly backup: ArchiveBackup;
  /** From `pg_export_snapshot()`. */
  readonly snapshot: string;
  readonly level: number;
  readonly destinations: readonly Destination[];
  /** Of the archive, ending with `/`. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told of each part once it is stored. */
  readonly stored: (part: ArchivePart) => void;
}

/** Runs pg_dump and stores what it writes. @throws PermanentError `DumpFailed`; the failure of the last place that was left */
export function dumpInto(dump: Dump, workDirectory: string): Promise<ArchivePart[]> {
  return dump.backup.layout === 'custom' ? dumpStream(dump) : dumpDirectory(dump, workDirectory);
}

/** The parts that a dump of one database leaves out: roles and the server's configuration. */
export async function storeBesides(
  dump: Dump,
  configuration: ReadonlyMap<string, string>,
): Promise<ArchivePart[]> {
  const parts: ArchivePart[] = [];
  if (dump.backup.content !== 'data') {
    const outcome = await runClient(dump.source.postgres, 'pg_dumpall', ['--roles-only'], {
      database: dump.database,
      signal: dump.signal,
      consume: async (output) => {
        parts.push(await store(dump, 'roles.sql', 'roles', output));
      },
    });
    if (outcome.exitCode !== 0) throw dumpFailed(dump, 'pg_dumpall', wordsOf(outcome, 'pg_dumpall'));
  }
  for (const [file, text] of configuration) {
    parts.push(await store(dump, file, 'configuration', Readable.from([Buffer.from(text)]), file));
  }
  return parts;
}

export async function store(
  { destinations, folder, backup, stored }: Dump,
  file: string,
  kind: ArchivePart['kind'],
  content: Readable,
  of?: string,
): Promise<ArchivePart> {
  const name = `parts/${file}.age`;
  const figures = await storePart(destinations, `${folder}${name}`, content, backup.recipients);
  const part = { file: name, kind, ...(of === undefined ? {} : { of }), ...figures };
  stored(part);
  return part;
}

/** One process, straight into the places: nothing touches the disk here. */
async function dumpStream(dump: Dump): Promise<ArchivePart[]> {
  const parts: ArchivePart[] = [];
  const outcome = await runClient(dump.source.postgres, 'pg_dump', ['--format=custom', ...optionsOf(dump)], {
    database: dump.database,
    signal: dump.signal,
    consume: async (output) => {
      parts.push(await store(dump, 'dump.custom', 'dump', output));
    },
  });
  if (outcome.exitCode !== 0) throw dumpFailed(dump, 'pg_dump', wordsOf(outcome, 'pg_dump'));
  return parts;
}

/**
 * Several processes into a directory of this machine, which holds the database itself: each table is encrypted, stored and
 * removed as soon as pg_dump says that it is finished, so that little of it lies there at a time.
 */
async function dumpDirectory(dump: Dump, workDirectory: string): Promise<ArchivePart[]> {
  const { source, backup, database } = dump;
  const account = accountIds(source.postgres.service.account);
  await rm(workDirectory, { recursive: true, force: true });
  await mkdir(workDirectory, { recursive: true, mode: 0o700 });
  if (account.switch) await chown(workDirectory, account.uid, account.gid);
  const directory = join(workDirectory, 'dump');
  const stop = new AbortController();
  const tables = new Map<number, ArchivePart>();
  let queue: Promise<unknown> = Promise.resolve();
  let broken: unknown;
  const finished = (id: number) => {
    queue = queue
      .then(async () => {
        if (broken === undefined) tables.set(id, await storeTable(dump, directory, id));
      })
      .catch((error: unknown) => {
        broken ??= error;
        stop.abort(error);
      });
  };
  try {
    const outcome = await runClient(
      source.postgres,
      'pg_dump',
      [
        '--format=directory',
        `--file=${directory}`,
        `--jobs=${backup.jobs}`,
        '--no-sync',
        '--verbose',
        ...optionsOf(dump),
      ],
      {
        database,
        signal: AbortSignal.any([dump.signal, stop.signal]),
        onErrorLine: (line) => {
          const id = /finished item (\d+) TABLE DATA/.exec(line)?.[1];
          if (id !== undefined) finished(Number(id));
        },
      },
    );
    await queue;
    if (broken !== undefined) throw broken;
    if (outcome.exitCode !== 0) throw dumpFailed(dump, 'pg_dump', wordsOf(outcome, 'pg_dump'));
    // With one job nothing is said of each table.
    for (const file of await readdir(directory)) {
      const id = /^(\d+)\.dat(\.gz)?$/.exec(file)?.[1];
      if (id !== undefined) tables.set(Number(id), await storeTable(dump, directory, Number(id)));
    }
    const names = await tableNames(dump, directory);
    const contents = await storeContents(dump, directory);
    return [
      ...contents,
      ...[...tables].map(([id, part]) => {
        const of = names.get(id);
        return of === undefined ? part : { ...part, of };
      }),
    ];
  } finally {
    await queue;
    await rm(workDirectory, { recursive: true, force: true });
  }
}

async function storeTable(dump: Dump, directory: string, id: number): Promise<ArchivePart> {
  const packed = join(directory, `${id}.dat.gz`);
  const path =
    (await stat(packed).catch(() => undefined)) === undefined ? join(directory, `${id}.dat`) : packed;
  const file = path.slice(directory.length + 1);
  const part = await store(dump, file, 'table', createReadStream(path, { highWaterMark: 256 * 1024 }));
  await rm(path);
  return part;
}

/** The tables of contents, and the large objects, each list of them in one tar file in the order of the list. */
async function storeContents(dump: Dump, directory: string): Promise<ArchivePart[]> {
  const parts = [await store(dump, 'toc.dat', 'contents', createReadStream(join(directory, 'toc.dat')))];
  for (const list of (await readdir(directory)).filter((file) => /^blobs.*\.toc$/.test(file)).sort()) {
    const text = await readFile(join(directory, list), 'utf8');
    parts.push(await store(dump, list, 'contents', Readable.from([Buffer.from(text)])));
    const tar = pack();
    const packing = packObjects(tar, directory, text).catch((error) => void tar.destroy(error));
    parts.push(await store(dump, list.replace(/toc$/, 'tar'), 'large-objects', Readable.from(tar), list));
    await packing;
  }
  return parts;
}

async function packObjects(tar: ReturnType<typeof pack>, directory: string, list: string): Promise<void> {
  const there = new Set(await readdir(directory));
  for (const line of list.split('\n')) {
    const file = line.split(' ')[1];
    if (file === undefined) continue;
    const name = there.has(`${file}.gz`) ? `${file}.gz` : file;
    const { size } = await stat(join(directory, name));
    await new Promise<void>((resolve, reject) => {
      const entry = tar.entry({ name, size, mode: 0o600 }, (error) => (error ? reject(error) : resolve()));
      createReadStream(join(directory, name)).once('error', reject).pipe(entry);
    });
  }
  tar.finalize();
}

/** `schema.table` by the number of its data in the archive. */
async function tableNames(
  { source, database, signal }: Dump,
  directory: string,
): Promise<Map<number, string>> {
  const outcome = await runClient(source.postgres, 'pg_restore', ['--list', directory], { database, signal });
  return new Map(
    outcome.stdout.split('\n').flatMap((line) => {
      const [, id, schema, table] = /^(\d+); \d+ \d+ TABLE DATA (\S+) (.*) \S+$/.exec(line) ?? [];
      return id === undefined ? [] : [[Number(id), `${schema}.${table}`] as const];
    }),
  );
}

function optionsOf({ snapshot, level, backup, database }: Dump): readonly string[] {
  const content = { full: ['--blobs'], schema: ['--schema-only'], data: ['--data-only', '--blobs'] };
  return [
    `--snapshot=${snapshot}`,
    `--compress=${level}`,
    '--lock-wait-timeout=5min',
    ...content[backup.content],
    database,
  ];
}

function dumpFailed({ source, database }: Dump, program: string, words: string): PermanentError {
  return new PermanentError('DumpFailed', `${program} of ${database} at ${source.site} failed: ${words}`, {
    next: 'Nothing of this attempt counts as an archive. Correct the cause, then retry; the last good archive stays.',
  });
}
