import { formatBytes, formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { withClient } from '../../src/postgres.js';
import type { DatabaseAt, MusterActivities, RungResult } from '../contract.js';
import { adminOf } from '../service/index.js';
import { check, headingOf, passed, verificationFailed } from './check.js';
import { runClientTool } from './client-tools.js';

type Input = Parameters<MusterActivities['verifyDump']>[0];

const DUMP_MS = 12 * 3_600_000;

/**
 * Rung 6: a full dump, thrown away. It reads every row of every table, every large object and the whole catalog, and turns
 * each value into text, which finds what checksums and amcheck cannot. One process: the text never touches a disk, which
 * `--jobs` would need.
 *
 * @throws PermanentError `VerificationFailed` naming the table that could not be read
 */
export async function verifyDump(
  { target }: Input,
  update: (progress: Progress) => void,
): Promise<RungResult> {
  const { heading } = await headingOf(target.postgres, 'pg_dump', {
    rung: 6,
    title: 'every row can be read',
  });
  const sizes = await tableSizes(target);
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const checked = await check(heading, async () => {
    let done = 0;
    let tables = 0;
    let current: string | undefined;
    const outcome = await runClientTool(target, 'pg_dump', ['--file=/dev/null', '--no-sync', '--verbose'], {
      timeoutMs: DUMP_MS,
      onErrorLine: (line) => {
        const table = /dumping contents of table "?([^"]+)"?$/.exec(line)?.[1];
        if (table === undefined) return;
        done += current === undefined ? 0 : (sizes.get(current) ?? 0);
        tables += 1;
        current = table;
        update({ done: Math.min(done, total), total, unit: 'bytes', text: `reading ${table}` });
      },
    });
    if (outcome.exitCode === 0) {
      return `${formatCount(tables)} tables (${formatBytes(total)}) read to the last row`;
    }
    const said = outcome.stderr
      .split('\n')
      .filter((line) => /error|detail|fatal/i.test(line))
      .slice(-4);
    throw verificationFailed(
      heading,
      `${current === undefined ? 'the catalog' : `table ${current}`} cannot be read: ${said.join(' ') || `pg_dump ended with ${outcome.exitCode}`}`,
      'Restore again from another repository or an older backup set.',
      { table: current ?? 'catalog', exitCode: outcome.exitCode },
    );
  });
  return passed([checked]);
}

/** Bytes of each table with its TOAST, by `schema.table`. */
async function tableSizes(target: DatabaseAt): Promise<ReadonlyMap<string, number>> {
  const { rows } = await withClient(
    adminOf(target.postgres),
    { statementTimeoutMs: 60_000, applicationName: 'muster-verify' },
    (client) =>
      client.query<{ name: string; bytes: string }>(
        `select n.nspname || '.' || c.relname as name, pg_table_size(c.oid) as bytes
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`,
      ),
  );
  return new Map(rows.map((row) => [row.name, Number(row.bytes)]));
}
