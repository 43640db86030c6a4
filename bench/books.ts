/** MoneyFlow's books grown to a size: many years of invoices with their entries and lines, as its application writes them. */
import pg from 'pg';

/** Above every number that the application gives while the books grow. */
const FIRST_NUMBER = 10_000_000;
/** About what an invoice takes with its entry, its three lines and all their indexes; only the first guess. */
const INVOICE_BYTES = 550;
/** So much of the wish is made by the guess; the rest by what that took. */
const FIRST_PORTION = 0.5;
const MARGIN = 1.02;

/**
 * @param client superuser in MoneyFlow's database, whose application may go on
 * @param sizeBytes what the database has at least afterwards
 */
export async function growBooks(client: pg.Client, sizeBytes: number): Promise<void> {
  let bytes = await bytesOf(client);
  let made = 0;
  let count = Math.ceil(((sizeBytes - bytes) * FIRST_PORTION) / INVOICE_BYTES);
  while (bytes < sizeBytes) {
    await addInvoices(client, made, count);
    made += count;
    const now = await bytesOf(client);
    count = Math.ceil((MARGIN * sizeBytes - now) / ((now - bytes) / count));
    bytes = now;
  }
}

/** Where the lab's superuser comes in. */
export function booksClient(socketDir: string, port: number, database: string): pg.Client {
  return new pg.Client({ host: socketDir, port, user: 'postgres', database });
}

async function bytesOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    'select pg_database_size(current_database()) as bytes',
  );
  return Number(rows[0]?.bytes);
}

async function addInvoices(client: pg.Client, after: number, count: number): Promise<void> {
  const [from, to] = [FIRST_NUMBER + after + 1, FIRST_NUMBER + after + count];
  await client.query('begin');
  // What is made here refers to what is there: nothing has to be looked up row by row.
  await client.query('set local session_replication_role = replica');
  await client.query(`
    insert into books.invoices
      select (lpad(to_hex(n), 8, '0') || right(md5('grown ' || n), 24))::uuid, n, 1 + (n::bigint * 7919) % 200, 1190 + (n::bigint * 104729) % 500000,
        case when n % 3 = 0 then 'open' else 'paid' end, now() - (${to} - n) * interval '20 seconds'
      from generate_series(${from}, ${to}) as n`);
  await client.query(`
    insert into books.entries (invoice_id, memo, at)
      select id, 'invoice ' || number, at from books.invoices where number between ${from} and ${to} order by number`);
  await client.query(`
    with added as (
      insert into books.lines
        select e.id, part.account, part.cents
        from books.invoices as i join books.entries as e on e.invoice_id = i.id,
          lateral (values ('1200', i.amount_cents), ('3800', -(i.amount_cents * 19 / 119)),
            ('4000', (i.amount_cents * 19 / 119) - i.amount_cents)) as part (account, cents)
        where i.number between ${from} and ${to} order by e.id
      returning account, cents)
    update books.accounts set balance_cents = balance_cents + sums.cents
      from (select account, sum(cents) as cents from added group by account) as sums where account = code`);
  await client.query('commit');
}
