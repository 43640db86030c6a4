/** A bad import into one table of a system beside Payymo, by what its world says of itself. */
import { LabError } from '../errors.js';
import { layoutOf } from '../layout.js';
import type { LabState } from '../state.js';
import type { WorldName } from '../worlds/index.js';
import { worldIn } from '../worlds/parts.js';
import { homeOf } from '../worlds/start.js';
import { clock, loggedIn } from './login.js';
import type { Harm } from './worlds.js';

/**
 * Imports into one table alone, while the client goes on; nothing else is touched.
 *
 * @throws LabError when the database does not let the deploying role in, or the system knows no such import
 */
export async function breakWorldTable(state: LabState, name: WorldName): Promise<Harm> {
  const world = worldIn({ layout: layoutOf(state.dir), state }, name);
  const { badImport, title } = world.definition;
  if (badImport === undefined) {
    throw new LabError(`Nothing is imported into ${title}.`, 'Choose another disaster.');
  }
  const { table, sql, what } = badImport;
  const site = world.state.sites[await homeOf(world)];
  const { deploy: login, database } = world.state;
  const way = {
    ...{ address: site?.address ?? '', port: site?.port ?? 0, database, login },
    ...{ applicationName: `import into ${table}`, statementTimeoutMs: 60_000 },
  };
  return loggedIn(way, 'The bad import cannot be done', async (client) => {
    const at = await clock(client);
    const { rowCount } = await client.query(sql);
    const rows = rowCount ?? 0;
    return {
      at,
      what: `A bad import has gone into ${table} of ${title}. The client goes on.`,
      facts: [
        ['from', at],
        ['damage', `${rows.toLocaleString('en')} ${what}; nothing else is touched`],
      ],
      recover: `muster recover corruptedTables ${name} --tables ${table} --before ${at}`,
      rows: [{ what, rows }],
    };
  });
}
