/**
 * What pg_basebackup does not compare when it reads the pages of a running server (PostgreSQL 15, basebackup.c): those that were
 * changed since the last checkpoint, those that say so because their position is damaged, and those that say that they are new.
 * Read here from the files of a standby.
 */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { lsnToNumber } from '../pgbackrest/wal.js';
import { pageChecksum } from './page-checksum.js';

const PAGE = 8192;
const AT_ONCE = 128 * PAGE;
/** Pages of a file of 1 GiB: of a larger relation the files are numbered. */
const PAGES_PER_FILE = 131_072;
/** A page may be written while it is read. */
const READINGS = 5;
const PAUSE_MS = 20;

export interface PagesRead {
  /** Pages of which the checksum was compared here. */
  readonly compared: number;
  readonly bad: readonly BadPage[];
}

export interface BadPage {
  /** Below the data directory. */
  readonly file: string;
  /** In that file. */
  readonly block: number;
  readonly why: string;
}

interface Log {
  /** Positions as PostgreSQL writes them. What lies before this one pg_basebackup compares. */
  readonly from: string;
  /** How far the standby has replayed by now. */
  readonly replayed: () => Promise<string>;
}

/** @param signal ends the reading */
export async function readRecentPages(
  dataDirectory: string,
  { from, replayed }: Log,
  signal: AbortSignal,
): Promise<PagesRead> {
  const first = lsnToNumber(from);
  let known = 0;
  const isBeyond = async (lsn: number): Promise<boolean> => {
    if (lsn > known) known = lsnToNumber(await replayed());
    return lsn > known;
  };
  const bad: BadPage[] = [];
  let compared = 0;
  for (const path of await relationFiles(dataDirectory)) {
    signal.throwIfAborted();
    const segment = Number(/\.(\d+)$/.exec(path)?.[1] ?? 0);
    const file = await open(path).catch(ifGone);
    if (file === undefined) continue;
    try {
      const buffer = Buffer.alloc(AT_ONCE);
      for (let offset = 0; ; offset += AT_ONCE) {
        const { bytesRead } = await file.read(buffer, 0, AT_ONCE, offset);
        for (let at = 0; at + PAGE <= bytesRead; at += PAGE) {
          const block = (offset + at) / PAGE;
          const number = segment * PAGES_PER_FILE + block;
          const page = buffer.subarray(at, at + PAGE);
          const lsn = positionOf(page);
          if (!isNew(page) && lsn < first) continue;
          compared += 1;
          const why =
            isNew(page) && isEmpty(page) ? undefined : await wrong(file, page, block, number, isBeyond);
          if (why !== undefined) bad.push({ file: relative(dataDirectory, path), block, why });
        }
        if (bytesRead < AT_ONCE) break;
      }
    } finally {
      await file.close();
    }
  }
  return { compared, bad };
}

async function wrong(
  file: FileHandle,
  read: Buffer,
  block: number,
  number: number,
  isBeyond: (lsn: number) => Promise<boolean>,
): Promise<string | undefined> {
  const page = Buffer.from(read);
  for (let readings = 1; ; readings++) {
    const why = await troubleOf(page, number, isBeyond);
    if (why === undefined || readings === READINGS) return why;
    await wait(PAUSE_MS);
    await file.read(page, 0, PAGE, block * PAGE);
  }
}

async function troubleOf(
  page: Buffer,
  number: number,
  isBeyond: (lsn: number) => Promise<boolean>,
): Promise<string | undefined> {
  // As PostgreSQL judges a page that it reads itself (bufpage.c, PageIsVerifiedExtended).
  if (isNew(page)) return isEmpty(page) ? undefined : 'it says that it is new, and is not empty';
  if (page.readUInt16LE(8) !== pageChecksum(page, number)) return 'bad checksum';
  return (await isBeyond(positionOf(page))) ? 'it is from after the end of the log' : undefined;
}

/** Two halves, each in the order of the machine: that is little-endian wherever PostgreSQL runs today. */
function positionOf(page: Buffer): number {
  return page.readUInt32LE(0) * 0x1_0000_0000 + page.readUInt32LE(4);
}

/** `pd_upper` is 0. */
function isNew(page: Buffer): boolean {
  return page.readUInt16LE(14) === 0;
}

const EMPTY = Buffer.alloc(PAGE);

function isEmpty(page: Buffer): boolean {
  return page.equals(EMPTY);
}

/** Files that hold pages: tables, indexes and their maps, not the temporary ones. */
async function relationFiles(dataDirectory: string): Promise<readonly string[]> {
  const folders = [join(dataDirectory, 'global'), ...(await below(join(dataDirectory, 'base')))];
  for (const tablespace of await below(join(dataDirectory, 'pg_tblspc'))) {
    for (const version of await below(tablespace)) folders.push(...(await below(version)));
  }
  const files = await Promise.all(folders.map(below));
  return files.flat().filter((path) => /\/\d+(?:_(?:fsm|vm|init))?(?:\.\d+)?$/.test(path));
}

async function below(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder).catch(ifGone)) ?? [];
  return names.map((name) => join(folder, name));
}

function ifGone(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
