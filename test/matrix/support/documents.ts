/** The documents of Practice Hub: what the client was told is handed in, the rows, and the files, seen past Muster. */
import pg from 'pg';
import type { FilesReconciled } from '../../../activities/contract.js';
import type { RegionName } from '../../../lab/layout.js';
import { worldFilesBucket } from '../../../lab/worlds/files.js';
import { worldNamed } from '../../../lab/worlds/index.js';
import type { Bucket } from '../../../src/runbook/schema.js';
import { resolveSecret } from '../../../src/secrets.js';
import { eventually } from '../../support/eventually.js';
import { filesAreRight, misconfiguredIn, type Sums, sumsIn } from '../../support/files.js';
import type { Recovered, Stage } from './cell.js';
import { worldNow } from './world.js';

/** A document that the client was told is handed in. */
export interface HandedIn {
  readonly id: string;
  readonly key: string;
  readonly sha256: string;
  /** ISO 8601 UTC, by the database's clock. */
  readonly at: string;
}

/** The bucket of the documents in a region. */
export function documentsBucket({ lab }: Stage, region: RegionName): Bucket {
  const { files } = worldNamed('practice-hub');
  if (files === undefined) throw new Error('Practice Hub keeps no files');
  return worldFilesBucket(lab.state, files, region);
}

export async function handedIn(stage: Stage): Promise<readonly HandedIn[]> {
  const { clientUrl } = await worldNow(stage);
  const text = await (await fetch(`${clientUrl}/acknowledged/documents`)).text();
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as HandedIn]));
}

/** Waits until the client has been told of so many more. */
export async function moreHandedIn(stage: Stage, count: number): Promise<void> {
  const before = (await handedIn(stage)).length;
  await eventually(async () => {
    expect((await handedIn(stage)).length).toBeGreaterThanOrEqual(before + count);
  });
}

/** Waits until every document that was handed in by now is in the other region as well. */
export async function copiedToTheEast(stage: Stage): Promise<readonly HandedIn[]> {
  const told = await handedIn(stage);
  await eventually(async () => {
    const copies = await sumsIn(documentsBucket(stage, 'east'));
    expect(told.filter(({ key, sha256 }) => copies.get(key) !== sha256)).toEqual([]);
  });
  return told;
}

/** What the rows at a site say of the files. */
export async function documentRows(stage: Stage, site: string): Promise<Sums> {
  const { sites, database, admin } = await worldNow(stage);
  const client = new pg.Client({
    ...{ host: sites[site]?.address, port: sites[site]?.port, database, user: admin.user },
    password: await resolveSecret(admin.password),
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ key: string; sha256: string }>(
      'select key, sha256 from hub.documents',
    );
    return new Map(rows.map(({ key, sha256 }) => [key, sha256]));
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Rows against files, the bucket's configuration, and the documents that must be there.
 *
 * @param place where the rows are now, and the files
 * @param told what the run says of rows and files; left out where it reconciles none
 * @param kept documents whose row and file must both be there
 */
export async function documentsAreRight(
  recovered: Recovered,
  place: { readonly site: string; readonly region: RegionName },
  told: FilesReconciled | undefined,
  kept: readonly HandedIn[],
): Promise<readonly string[]> {
  const before = await documentRows(recovered, place.site);
  const files = await sumsIn(documentsBucket(recovered, place.region));
  // A row that came while the files were read counts only where its file was seen.
  const since = await documentRows(recovered, place.site);
  const rows = new Map([...before, ...[...since].filter(([key]) => files.has(key))]);
  const gone = kept.filter(({ key, sha256 }) => rows.get(key) !== sha256 || files.get(key) !== sha256);
  return [
    ...gone.map(({ key }) => `${key} was handed in, and is not what it was`),
    ...(told === undefined ? [] : filesAreRight(rows, files, told)),
  ];
}

/** What of the configuration of the bucket in a region is not as the runbook wants it. */
export async function bucketIsRight(stage: Stage, region: RegionName): Promise<readonly string[]> {
  return misconfiguredIn(documentsBucket(stage, region), (await worldNow(stage)).appUrl);
}
