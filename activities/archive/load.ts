/** An archive streamed into pg_restore: fetched, decrypted and handed over as it is asked for. */
import { constants, open } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { extract } from 'tar-stream';
import { folderOf } from '../../src/archive/catalog.js';
import type { ArchiveManifest, ArchivePart } from '../../src/archive/manifest.js';
import { openPart } from '../../src/archive/part.js';
import type { ArchivePlace } from '../../src/archive/place.js';
import { PermanentError } from '../../src/errors.js';
import { accountIds, runTool } from '../../src/process.js';
import type { PostgresSite } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { runClient, wordsOf } from './client.js';

export interface OpenArchive {
  readonly place: ArchivePlace;
  readonly manifest: ArchiveManifest;
  /** Private keys of age. */
  readonly identities: readonly string[];
}

export interface Load extends OpenArchive {
  readonly postgres: PostgresSite;
  /** What pg_restore connects to. */
  readonly database: string;
  /** `create`: it makes the database that the archive names, with its settings and grants; `into`: it fills `database`. */
  readonly how: 'create' | 'into';
  readonly jobs: number;
  /** `schema.table`; absent: everything. */
  readonly tables?: readonly string[];
  /** Made and removed; never holds a table. */
  readonly workDirectory: string;
  readonly signal: AbortSignal;
  /** Bytes of the archive that pg_restore has taken, and what it takes now. */
  readonly update: (doneBytes: number, text: string) => void;
}

/** A bare descriptor: the socket that writes to it closes it. */
const openFile = promisify(open);

/**
 * Restores with pg_restore. In place of each table's file lies a named pipe: a job of pg_restore that begins with a table finds
 * its data coming through, so that nothing of it is whole in memory or on disk.
 *
 * @throws PermanentError `RestoreFailed`, `TableNotArchived`; what reading the parts throws
 */
export async function loadArchive(load: Load): Promise<void> {
  requireTables(load);
  const account = accountIds(load.postgres.service.account);
  await rm(load.workDirectory, { recursive: true, force: true });
  await mkdir(load.workDirectory, { recursive: true, mode: 0o700 });
  if (account.switch) await chown(load.workDirectory, account.uid, account.gid);
  try {
    await (load.manifest.layout === 'custom' ? loadStream(load) : loadDirectory(load));
  } finally {
    await rm(load.workDirectory, { recursive: true, force: true });
  }
}

/** Decrypts a small part. */
export async function readPart(
  { place, manifest, identities }: OpenArchive,
  part: ArchivePart,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const folder = folderOf(manifest.system, manifest.label);
  for await (const chunk of openPart(place, folder, part, identities)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function partsOf({ manifest }: OpenArchive, kind: ArchivePart['kind']): ArchivePart[] {
  return manifest.parts.filter((part) => part.kind === kind);
}

async function loadStream(load: Load): Promise<void> {
  const [part] = partsOf(load, 'dump');
  if (part === undefined) throw new TypeError('the manifest names no dump');
  const filter: string[] = [];
  if (load.tables !== undefined) {
    const listed = await restoreWith(load, ['--list'], { input: contentOf(load, part, () => undefined) });
    filter.push(await writeFilter(load, listed.stdout, load.tables));
  }
  let done = 0;
  const input = contentOf(load, part, (bytes) => {
    done += bytes;
    load.update(done, 'restoring');
  });
  await restoreWith(load, [...targetOf(load), ...filter], { input });
}

async function loadDirectory(load: Load): Promise<void> {
  const directory = join(load.workDirectory, 'archive');
  await mkdir(directory, { mode: 0o700 });
  for (const part of partsOf(load, 'contents')) {
    await writeFile(join(directory, fileOf(part)), await readPart(load, part), { mode: 0o600 });
  }
  await giveTo(load, directory);
  const feed = new Feed(load, directory);
  await feed.layPipes();
  // A database that is filled already is not made: then tables are begun in the order of the dump.
  const sized = load.how === 'create' ? await feed.showSizes() : undefined;
  const filter: string[] = [];
  if (load.tables !== undefined) {
    const listed = await restoreWith(load, ['--list', directory], {});
    filter.push(await writeFilter(load, listed.stdout, load.tables));
  }
  // Only jobs beside each other say which table they begin with.
  const jobs = `--jobs=${Math.max(2, load.jobs)}`;
  try {
    const signal = AbortSignal.any([load.signal, feed.stop]);
    const args = [...targetOf(load), jobs, '--verbose', ...filter, directory];
    await restoreWith(load, args, {
      signal,
      onErrorLine: (line) => {
        if (/creating DATABASE/.test(line)) sized?.seen();
        const [, id, what] = /launching item (\d+) (TABLE DATA|BLOBS)/.exec(line) ?? [];
        if (id !== undefined) feed.begin(Number(id), what === 'BLOBS' ? 'objects' : 'table');
      },
    });
  } finally {
    await sized?.close();
    await feed.end();
  }
  feed.requireAll();
}

class Feed {
  readonly #tables: ReadonlyMap<number, ArchivePart>;
  readonly #objects: readonly ArchivePart[];
  readonly #broken = new AbortController();
  readonly #over = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #fed = new Set<ArchivePart>();
  #done = 0;

  constructor(
    private readonly load: Load,
    private readonly directory: string,
  ) {
    const wanted = partsOf(load, 'table').filter(
      ({ of }) => load.tables === undefined || (of !== undefined && load.tables.includes(of)),
    );
    this.#tables = new Map(wanted.map((part) => [Number.parseInt(fileOf(part), 10), part]));
    this.#objects = load.tables === undefined ? partsOf(load, 'large-objects') : [];
  }

  /** Aborted with the reason when the data cannot be had: pg_restore is ended then. */
  get stop(): AbortSignal {
    return this.#broken.signal;
  }

  async layPipes(): Promise<void> {
    const files = [...this.#tables.values()].map(fileOf);
    for (const list of this.#objects) {
      const text = await readFile(join(this.directory, list.of ?? ''), 'utf8');
      const suffix = this.load.manifest.compression.level === 0 ? '' : '.gz';
      files.push(
        ...text.split('\n').flatMap((line) => (line === '' ? [] : `${line.split(' ')[1]}${suffix}`)),
      );
    }
    for (let from = 0; from < files.length; from += 1000) {
      const some = files.slice(from, from + 1000).map((file) => join(this.directory, file));
      const made = await runTool('mkfifo', ['-m', '600', ...some], {
        account: this.load.postgres.service.account,
        timeoutMs: 60_000,
      });
      if (made.exitCode !== 0) throw new Error(made.stderr);
    }
  }

  /**
   * pg_restore begins with the largest table, and to know it looks at the files' sizes, which pipes have none of. It looks
   * before it makes the database: until it has, empty files of the right sizes stand there, and making a database is held
   * up by a lock, in a cluster that nobody else uses.
   */
  async showSizes(): Promise<SizesShown> {
    const aside = join(this.load.workDirectory, 'pipes');
    const files = [...this.#tables.values()];
    await mkdir(aside, { mode: 0o700 });
    for (const part of files) {
      const path = join(this.directory, fileOf(part));
      await rename(path, join(aside, fileOf(part)));
      await writeFile(path, '');
      await truncate(path, part.plainBytes);
    }
    await giveTo(this.load, this.directory);
    const putBack = async () => {
      for (const part of files) await rename(join(aside, fileOf(part)), join(this.directory, fileOf(part)));
    };
    return holdDatabases(this.load, putBack, (error) => this.#fail(error));
  }

  begin(id: number, what: 'table' | 'objects'): void {
    const own = this.#objects.find(({ of }) => of === `blobs_${id}.toc`) ?? this.#objects[0];
    const part = what === 'table' ? this.#tables.get(id) : own;
    if (part === undefined || this.#fed.has(part)) return;
    this.#fed.add(part);
    this.load.update(this.#done, `restoring ${part.of ?? part.file}`);
    const feeding = what === 'table' ? this.#feedTable(part) : this.#feedObjects(part);
    this.#running.push(feeding.catch((error: unknown) => this.#fail(error)));
  }

  async end(): Promise<void> {
    this.#over.abort(new Error('pg_restore has ended'));
    await Promise.all(this.#running);
  }

  /** A part that pg_restore never asked for was not restored. */
  requireAll(): void {
    const left = [...this.#tables.values(), ...this.#objects].find((part) => !this.#fed.has(part));
    if (left === undefined) return;
    throw restoreFailed(this.load, `pg_restore never asked for ${left.of ?? left.file}`);
  }

  #fail(error: unknown): void {
    // What breaks once pg_restore has gone is broken by that; it says itself why it went.
    const gone = this.#over.signal.aborted && (error as Error).name !== 'PermanentError';
    if (!gone && !isPipeError(error)) this.#broken.abort(error);
  }

  async #feedTable(part: ArchivePart): Promise<void> {
    const pipe = await this.#openPipe(fileOf(part));
    await pipeline(
      contentOf(this.load, part, (bytes) => {
        this.#done += bytes;
        this.load.update(this.#done, `restoring ${part.of ?? part.file}`);
      }),
      pipe,
    );
  }

  async #feedObjects(part: ArchivePart): Promise<void> {
    const unpack = extract();
    const reading = pipeline(
      contentOf(this.load, part, (bytes) => {
        this.#done += bytes;
        this.load.update(this.#done, 'restoring large objects');
      }),
      unpack,
    );
    reading.catch(() => undefined);
    for await (const entry of unpack) {
      const pipe = await this.#openPipe(basename(entry.header.name));
      await pipeline(entry, pipe);
    }
    await reading;
  }

  /** Waits until pg_restore reads there: a pipe cannot be opened for writing before, and waiting must not hold a thread. */
  async #openPipe(file: string): Promise<Socket> {
    const path = join(this.directory, file);
    const signal = AbortSignal.any([this.load.signal, this.#over.signal, this.#broken.signal]);
    for (let pauseMs = 1; ; pauseMs = Math.min(20, pauseMs * 2)) {
      signal.throwIfAborted();
      const fd = await openFile(path, constants.O_WRONLY | constants.O_NONBLOCK).catch((error) => {
        if (error.code === 'ENXIO') return undefined;
        throw error;
      });
      if (fd !== undefined) return new Socket({ fd, readable: false, writable: true });
      await wait(pauseMs, undefined, { signal });
    }
  }
}

interface SizesShown {
  /** pg_restore has looked. */
  seen(): void;
  close(): Promise<void>;
}

/** Holds up whoever makes a database until the pipes are back. */
async function holdDatabases(
  { postgres, database }: Load,
  putBack: () => Promise<void>,
  failed: (error: unknown) => void,
): Promise<SizesShown> {
  const { host, port, admin } = postgres;
  const client = new pg.Client({
    ...{ host, port, database, user: admin.user, password: await resolveSecret(admin.password) },
    application_name: 'muster-archive',
  });
  client.on('error', () => undefined);
  await client.connect();
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= client.end().catch(() => undefined);
    return closing;
  };
  try {
    await client.query('begin; lock table pg_catalog.pg_database in share mode');
  } catch (error) {
    await close();
    throw error;
  }
  let looked = false;
  return {
    seen: () => {
      if (looked) return;
      looked = true;
      putBack().then(close, failed);
    },
    close,
  };
}

function contentOf(load: Load, part: ArchivePart, passed: (bytes: number) => void): Transform {
  const folder = folderOf(load.manifest.system, load.manifest.label);
  const source = openPart(load.place, folder, part, load.identities);
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed(chunk.length);
      done(null, chunk);
    },
  });
  pipeline(source, counting, { signal: load.signal }).catch(() => undefined);
  return counting;
}

/** `3375.dat.gz` of `parts/3375.dat.gz.age` */
function fileOf(part: ArchivePart): string {
  return basename(part.file, '.age');
}

function isPipeError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EPIPE' || code === 'ECONNRESET';
}

function targetOf({ database, how, tables }: Load): readonly string[] {
  const whole = how === 'create' ? ['--create'] : [];
  const some = tables === undefined ? [] : ['--disable-triggers'];
  return [`--dbname=${database}`, '--exit-on-error', '--no-tablespaces', ...whole, ...some];
}

async function restoreWith(
  load: Load,
  args: readonly string[],
  options: Pick<Parameters<typeof runClient>[3], 'input' | 'signal' | 'onErrorLine'>,
) {
  const outcome = await runClient(load.postgres, 'pg_restore', args, {
    database: load.database,
    signal: load.signal,
    ...options,
  });
  if (outcome.exitCode === 0) return outcome;
  throw restoreFailed(load, wordsOf(outcome, 'pg_restore'));
}

function restoreFailed({ manifest, place, postgres }: Load, words: string): PermanentError {
  return new PermanentError(
    'RestoreFailed',
    `pg_restore of ${manifest.label} from ${place.title} into ${postgres.host}:${postgres.port} failed: ${words.replace(/\.$/, '')}.`,
    {
      next: 'Look at the table or object that is named; what is missing on the target (extension, locale, room) is provided there, then the step is retried.',
      details: { label: manifest.label },
    },
  );
}

function requireTables(load: Load): void {
  const known = partsOf(load, 'table').map(({ of }) => of);
  const unknown = load.tables?.find(
    (table) => load.manifest.layout === 'directory' && !known.includes(table),
  );
  if (unknown === undefined) return;
  throw new PermanentError('TableNotArchived', `${load.manifest.label} holds no data of ${unknown}.`, {
    next: `Name tables that it holds, as schema.table: ${known.slice(0, 20).join(', ')}.`,
  });
}

const LEFT_OUT =
  /^\d+; \d+ \d+ (TABLE DATA|MATERIALIZED VIEW DATA|FK CONSTRAINT|SUBSCRIPTION|BLOBS?(?: METADATA)?|(?:ACL|COMMENT|SECURITY LABEL) - LARGE OBJECTS?) (.*)$/;

/** All definitions, but rows of the chosen tables only; foreign keys would point at rows that are not there. */
async function writeFilter(load: Load, list: string, tables: readonly string[]): Promise<string> {
  const kept = list.split('\n').filter((line) => {
    const [, what, rest = ''] = LEFT_OUT.exec(line) ?? [];
    if (what === undefined) return true;
    return what === 'TABLE DATA' && tables.includes(rest.replace(/ \S*$/, '').replace(' ', '.'));
  });
  const file = join(load.workDirectory, 'list');
  await writeFile(file, `${kept.join('\n')}\n`, { mode: 0o600 });
  await giveTo(load, file);
  return `--use-list=${file}`;
}

async function giveTo({ postgres }: Load, path: string): Promise<void> {
  const { uid, gid, switch: needed } = accountIds(postgres.service.account);
  if (!needed) return;
  await chown(path, uid, gid);
  if (!(await stat(path)).isDirectory()) return;
  await runTool('chown', ['-R', `${uid}:${gid}`, path], { timeoutMs: 60_000 });
}
