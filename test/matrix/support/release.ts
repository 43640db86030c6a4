/** A bad release of a system, taken back: what must be so afterwards, and that no write is missing. */
import pg from 'pg';
import type { MigratedDown, ReleaseValidation } from '../../../activities/contract.js';
import { labHarm } from '../../../lab/commands.js';
import type { WorldName } from '../../../lab/worlds/index.js';
import { resolveSecret } from '../../../src/secrets.js';
import { type CellOptions, cell, type Stage } from './cell.js';
import { acknowledgedBy, approvedBy, moreAcknowledged, worldNow } from './world.js';

export interface BadRelease {
  readonly system: WorldName;
  /** Who approves. */
  readonly by: string;
  readonly schema: string;
  /** Table of the acknowledged records, and the column that the bad release gives it. */
  readonly table: string;
  readonly column: string;
  /** What the bad release cannot answer. */
  readonly breaks: string;
  /** Migrations that stay, and the one that goes. */
  readonly migrations: { readonly stay: readonly string[]; readonly goes: string };
  /** Every deployment afterwards, oldest first; the last one is the release that is gone back to. */
  readonly releases: readonly string[];
  /** Titles of the critical functions. */
  readonly functions: readonly string[];
  readonly also?: CellOptions['also'];
}

/** Declares the cell. */
export function badReleaseCell(bad: BadRelease): void {
  const { system, schema, table } = bad;
  const back = bad.releases.at(-1) ?? '';
  cell({
    scenario: 'badDeployment',
    system,
    lab: { systems: [system] },
    diagnosed: 'badDeployment',
    strike: async (stage) => {
      await moreAcknowledged(await worldNow(stage), 4);
      const { at } = await labHarm('bad-deployment', system, { dir: stage.lab.dir });
      await moreAcknowledged(await worldNow(stage), 6);
      expect((await read(stage, bad.breaks)).status).toBe(500);
      const safe = new Set((await acknowledgedBy(await worldNow(stage))).map(({ id }) => id));
      return { begin: ['--detected-at', at], safe };
    },
    approve: approvedBy({ rollback: bad.by }),
    look: async (recovered) => {
      await moreAcknowledged(await worldNow(recovered), 3);
      const acknowledged = await acknowledgedBy(await worldNow(recovered));
      const present = new Set(await asked(recovered, `select id::text from ${schema}.${table}`));
      const [works, health] = [await read(recovered, bad.breaks), await read(recovered, '/health')];
      const columns = await asked(
        recovered,
        `select column_name from information_schema.columns where table_schema = '${schema}' and table_name = '${table}'`,
      );
      const releases = await asked(recovered, `select release from ${schema}.releases order by id`);
      return [
        ...acknowledged.filter(({ id }) => !present.has(id)).map(({ id }) => `${id} is missing`),
        ...(recovered.safe.size > 6 ? [] : ['nothing was written before and after the release']),
        ...(works.status === 200 ? [] : [`${bad.breaks} is answered by ${works.status}`]),
        ...(health.body.release === back ? [] : [`${health.body.release} answers`]),
        ...(columns.includes(bad.column) ? ['the column of the bad release is still there'] : []),
        ...(releases.join() === bad.releases.join() ? [] : [`releases are ${releases.join()}`]),
        ...(await asked(recovered, 'select timeline_id::text from pg_control_checkpoint()'))
          .filter((timeline) => timeline !== '1')
          .map((timeline) => `the database is on timeline ${timeline}: something was restored`),
      ];
    },
    also: {
      'takes back the migration of the bad release and no other': async (recovered) => {
        const { takenBack } = recovered.result.outputs['migrate-down'] as MigratedDown;
        expect(takenBack).toEqual([bad.migrations.goes]);
        expect(await asked(recovered, `select name from ${schema}.migrations`)).toEqual(bad.migrations.stay);
      },
      'proves it with the critical functions and finds the data sound': async ({ result }) => {
        const { checks, broken } = result.outputs.validate as ReleaseValidation;
        expect(broken).toEqual([]);
        expect(checks.map(({ title }) => title)).toEqual([
          `release ${back} is healthy`,
          ...bad.functions,
          'every acknowledged write is kept',
        ]);
      },
      ...bad.also,
    },
  });
}

async function asked(stage: Stage, sql: string): Promise<string[]> {
  const world = await worldNow(stage);
  const { user, password } = world.admin;
  const client = new pg.Client({
    ...{ host: world.sites.west?.address, port: world.sites.west?.port, database: world.database, user },
    password: await resolveSecret(password),
  });
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows.map((row: unknown[]) => String(row[0]));
  } finally {
    await client.end();
  }
}

async function read(stage: Stage, path: string) {
  const answer = await fetch(`${(await worldNow(stage)).appUrl}${path}`);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
