/** SpendSync's new release is bad, and has migrated the database: the one before comes back, and every write stays. */
import pg from 'pg';
import type { MigratedDown, ReleaseValidation } from '../../activities/contract.js';
import { labHarm } from '../../lab/commands.js';
import { resolveSecret } from '../../src/secrets.js';
import { cell, type Stage } from './support/cell.js';
import { acknowledgedBy, approvedBy, moreAcknowledged, worldNow } from './support/world.js';

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

const read = async (stage: Stage, path: string) => {
  const answer = await fetch(`${(await worldNow(stage)).appUrl}${path}`);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

cell({
  scenario: 'badDeployment',
  system: 'spendsync',
  lab: { systems: ['spendsync'] },
  diagnosed: 'badDeployment',
  strike: async (stage) => {
    await moreAcknowledged(await worldNow(stage), 4);
    const { at } = await labHarm('bad-deployment', 'spendsync', { dir: stage.lab.dir });
    await moreAcknowledged(await worldNow(stage), 6);
    expect((await read(stage, '/members/1/spent')).status).toBe(500);
    const safe = new Set((await acknowledgedBy(await worldNow(stage))).map(({ id }) => id));
    return { begin: ['--detected-at', at], safe };
  },
  approve: approvedBy({ rollback: 'engineering-lead' }),
  look: async (recovered) => {
    await moreAcknowledged(await worldNow(recovered), 3);
    const acknowledged = await acknowledgedBy(await worldNow(recovered));
    const present = new Set(await asked(recovered, 'select id::text from spend.expenses'));
    const [spent, health] = [await read(recovered, '/members/1/spent'), await read(recovered, '/health')];
    const columns = await asked(
      recovered,
      "select column_name from information_schema.columns where table_schema = 'spend' and table_name = 'expenses'",
    );
    const releases = await asked(recovered, 'select release from spend.releases order by id');
    return [
      ...acknowledged.filter(({ id }) => !present.has(id)).map(({ id }) => `expense ${id} is missing`),
      ...(recovered.safe.size > 6 ? [] : ['nothing was written before and after the release']),
      ...(spent.status === 200 ? [] : [`what a member has spent is answered by ${spent.status}`]),
      ...(health.body.release === '2.3.0' ? [] : [`${health.body.release} answers`]),
      ...(columns.includes('currency') ? ['the column of the bad release is still there'] : []),
      ...(releases.join() === '2.2.0,2.3.0,2.4.0,2.3.0' ? [] : [`releases are ${releases.join()}`]),
      ...(await asked(recovered, 'select timeline_id::text from pg_control_checkpoint()'))
        .filter((timeline) => timeline !== '1')
        .map((timeline) => `the database is on timeline ${timeline}: something was restored`),
    ];
  },
  also: {
    'takes back the migration of the bad release and no other': async (recovered) => {
      const { takenBack } = recovered.result.outputs['migrate-down'] as MigratedDown;
      expect(takenBack).toEqual(['0003_currency']);
      expect(await asked(recovered, 'select name from spend.migrations')).toEqual(['0002_categories']);
    },
    'proves it with the critical functions and finds the data sound': async ({ result }) => {
      const { checks, broken } = result.outputs.validate as ReleaseValidation;
      expect(broken).toEqual([]);
      expect(checks.map(({ title }) => title)).toEqual([
        'release 2.3.0 is healthy',
        'What a member has spent can be read',
        'An expense is entered and can be read again',
        'every acknowledged write is kept',
      ]);
    },
  },
});
