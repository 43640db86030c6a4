/** Payymo's statements: rows that name files. */
import type { FollowingDatabase } from '../service/database.js';
import type { Files } from '../service/files.js';
import { statement } from './statements.js';

/** What a row says of its file. */
export interface StatementRow {
  readonly key: string;
  readonly account: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** The row of a file; undefined: no statement is called so. */
export function findStatement(database: FollowingDatabase, key: string): Promise<StatementRow | undefined> {
  return database.use(async (client) => {
    const { rows } = await client.query<{
      key: string;
      account_id: string;
      bytes: string;
      sha256: string;
    }>('select key, account_id, bytes, sha256 from ledger.statements where key = $1', [key]);
    const [row] = rows;
    return row && { key, account: Number(row.account_id), bytes: Number(row.bytes), sha256: row.sha256 };
  });
}

/**
 * Makes a statement of an account: the file first, then its row, so that no row is without its file.
 *
 * @param id chosen by the client; makes asking twice harmless
 */
export async function makeStatement(
  database: FollowingDatabase,
  files: Files,
  id: string,
  account: number,
): Promise<StatementRow> {
  const key = `statements/${String(account).padStart(6, '0')}/${id}.txt`;
  const before = await findStatement(database, key);
  if (before !== undefined) return before;
  const { rows } = await database.use((client) =>
    client.query<{ balance_cents: string }>('select balance_cents from ledger.accounts where id = $1', [
      account,
    ]),
  );
  const made = statement(
    key,
    account,
    `Payymo\nstatement of account ${account}\nbalance ${rows[0]?.balance_cents} cents\n`,
  );
  await files.write(made);
  const { sha256, content } = made;
  await database.use((client) =>
    client.query('insert into ledger.statements values ($1, $2, $3, $4, clock_timestamp())', [
      ...[key, account, content.length, sha256],
    ]),
  );
  return { key, account, bytes: content.length, sha256 };
}
