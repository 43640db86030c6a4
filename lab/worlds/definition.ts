/** What a system of the lab beside Payymo is made of; one file each. */
import type pg from 'pg';
import type { RegionName } from '../layout.js';
import type { Answer } from '../service/http.js';

/** What sites are called: the primary is `west`, `recovery` is in its region, `east` in the other one. */
export const PLACES = ['west', 'standby', 'recovery', 'east'] as const;
export type PlaceName = (typeof PLACES)[number];

/** A place where the system's database can run. */
export interface WorldSite {
  readonly name: PlaceName;
  /** Whose S3 server is beside it, and what takes it away. */
  readonly region: RegionName;
}

/** What a request brought. */
export interface Asked {
  /** By the names in the route's path. */
  readonly params: Readonly<Record<string, string>>;
  /** JSON; undefined where there is none. */
  readonly body: unknown;
  /** Undefined where the application has none: a copy that is tried. */
  readonly files?: FileStore | undefined;
}

/** A file in a bucket. */
export interface StoredFile {
  readonly key: string;
  readonly content: Uint8Array;
}

/** The files that an application reads and writes. */
export interface FileStore {
  /** @returns undefined where the file is not there */
  readonly read: (key: string) => Promise<Uint8Array | undefined>;
  readonly write: (file: StoredFile) => Promise<void>;
}

/**
 * A request that the application answers. `GET` is answered by copies too; `POST` runs in one transaction and must be harmless
 * to repeat.
 */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Segments that begin with a colon are parameters: `/invoices/:id`. */
  readonly path: string;
  readonly answer: (database: pg.ClientBase, asked: Asked) => Promise<Answer>;
}

/** What the client sends: `id` is in the body, and the answer holds it again, with `at`. */
export interface Write {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>> & { readonly id: string };
}

/** Statements that damage the data, and how the damage reads. */
export interface DamageStatement {
  /** Changes rows by a predicate on data, scattered over the whole table. */
  readonly sql: string;
  /** Completes "<n> ...": `amounts rewritten`. */
  readonly what: string;
}

/** A bad import: one statement that changes rows of one table and nothing else. */
export interface BadImport extends DamageStatement {
  readonly table: string;
}

/** What an intruder is after. */
export interface WorldPrey {
  /** Table that the client writes to: a copy of each of its rows is carried out. */
  readonly watched: string;
  /** Table with `id` and `updated_at` whose text is encrypted; what reads it goes on. */
  readonly encrypted: { readonly table: string; readonly columns: readonly string[] };
}

/** Releases of a system's application, where the lab knows more than one. */
export interface WorldReleases {
  /** What ran before, oldest first; the last one runs when the lab comes up. */
  readonly good: readonly [string, ...string[]];
  /** The next one: it migrates the database, and is bad. */
  readonly bad: {
    readonly release: string;
    readonly migration: string;
    /** As the role that deploys, each in one transaction with its record. */
    readonly upSql: string;
    readonly downSql: string;
    /** Paths of routes that fail with it. */
    readonly breaks: readonly string[];
  };
}

/** Files that a system keeps beside its rows, where it does: in a versioned bucket, copied to the one of the other region. */
export interface WorldFiles {
  /** The name of the store in the runbook's `objects`, and what the client keeps what was acknowledged under. */
  readonly store: string;
  /** In use in the west, filled by copying in the east. */
  readonly buckets: Readonly<Record<RegionName, string>>;
  /** What is there from the beginning; the seed has the rows. */
  readonly seeded: () => Iterable<StoredFile>;
  /** The client has a file made after so many records. */
  readonly oneInRecords: number;
  /** What it sends for that; the answer names the file (`key`, `sha256`). */
  readonly write: () => Write;
}

export interface WorldDefinition {
  readonly system: string;
  /** How the lab's table names it: `MoneyFlow`. */
  readonly title: string;
  /** Its sites' addresses begin here: 10, 20 and so on. */
  readonly firstHost: number;
  readonly zone: string;
  /** The name by which the application finds the database. */
  readonly record: string;
  readonly database: string;
  /** `<rolePrefix>_owner`, `_app`, `_deploy`. */
  readonly rolePrefix: string;
  /** The primary first. */
  readonly sites: readonly [WorldSite, ...WorldSite[]];
  /** Region of the owner's runbook for each region of the lab. */
  readonly regions: Readonly<Record<RegionName, string>>;
  /** Whose the regions are, where they are those of two providers: the first one's may be out. */
  readonly providers?: Readonly<Record<RegionName, string>>;
  readonly backup: 'archive' | 'pgbackrest';
  /** Archives beside the physical backups. */
  readonly dumps?: 'daily';
  /** As superuser. */
  readonly extensionsSql: string;
  /** Tables, rows and rules in one transaction, as the owner. */
  readonly schemaSql: string;
  readonly seedSql: string;
  readonly rulesSql: string;
  /** One row: `newest`, when the newest record was written. */
  readonly pulseSql: string;
  readonly routes: readonly Route[];
  readonly writesPerSecond: number;
  /** What the client sends next. */
  readonly write: () => Write;
  readonly files?: WorldFiles;
  /** Recorded in the tables `releases` and `migrations` of the schema. */
  readonly releases?: WorldReleases;
  readonly intrusion?: WorldPrey;
  /** A bad change, deployed by the role that deploys. */
  readonly damage: readonly DamageStatement[];
  /** By the same role; left out: nothing is imported. */
  readonly badImport?: BadImport;
}

/** An answer for a record that is not there. */
export function notThere(what: string): Answer {
  return { status: 404, body: { error: `no ${what}` } };
}

/** An answer for a request that makes no sense. */
export function refused(why: string): Answer {
  return { status: 422, body: { error: why } };
}

/** Columns of a timestamp as the systems answer it: ISO 8601 UTC with microseconds. */
export const AT_SQL = `to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`;
