/**
 * The recovery as the owners' own procedures go: one thing after another, from a dump. The dump is from before the damage, so
 * this even goes back further than a recovery to a point in time does.
 */
import { join } from 'node:path';
import { databaseAccount } from '../../lab/account.js';
import type { Corruption } from '../../lab/break/corruption.js';
import { layoutOf } from '../../lab/layout.js';
import { initCluster, listening, writeSiteSettings } from '../../lab/parts/postgres.js';
import type { LabState } from '../../lab/state.js';
import { countLost, writeDown } from '../by-hand/afterwards.js';
import { makeRoom, start, stop } from '../by-hand/copy.js';
import { changeRecord, validate } from '../by-hand/cutover.js';
import { breaches } from '../by-hand/damage.js';
import { fence, setAside } from '../by-hand/fence.js';
import { clientEnvironment, type Hand, program, psql, takeInHand } from '../by-hand/hand.js';
import { checkApplication, checkDump, checkRules, checkStructure } from '../by-hand/ladder.js';
import type { HandRecovery } from '../by-hand/recovery.js';
import { must, type, until } from '../by-hand/shell.js';
import { fetchDump, type KeptDump, makeArchive, upload } from './dump.js';

const ROOM = 3_000_000_000;

export async function recoverOwnersWay(
  state: LabState,
  damage: Corruption,
  dump: KeptDump,
): Promise<HandRecovery> {
  const hand = await takeInHand(state, damage);
  const begun = performance.now();
  const parts: Record<string, [number, number]> = {};
  for (const [name, work] of Object.entries(stepsOf(hand, dump))) {
    const from = performance.now() - begun;
    await work();
    parts[name] = [Math.round(from), Math.round(performance.now() - begun)];
  }
  return { tookMs: performance.now() - begun, parts };
}

function stepsOf(hand: Hand, dump: KeptDump): Record<string, () => Promise<unknown>> {
  const { state, record, old, target } = hand;
  let systemIdentifier = '';
  return {
    assess: () => breaches(hand, old, 1),
    'stop services': async () => {
      const { rows } = await psql(hand, old, (client) =>
        client.query<{ id: string }>('select system_identifier::text as id from pg_control_system()'),
      );
      systemIdentifier = rows[0]?.id ?? '';
      await fence(hand, systemIdentifier);
    },
    'set aside': () => setAside(hand, systemIdentifier),
    'new cluster': () => makeCluster(hand, dump),
    'fetch dump': () => fetchDump(state, dump),
    'restore dump': () =>
      type(
        program(hand, 'pg_restore'),
        ['--jobs=2', '--exit-on-error', `--dbname=${state.ledger.database}`, join(dump.folder, 'dump')],
        { as: 'database', env: clientEnvironment(hand, target) },
      ),
    files: () => checkPages(hand),
    structure: () => checkStructure(hand),
    dump: () => checkDump(hand),
    rules: () => checkRules(hand, 1),
    application: () => checkApplication(hand),
    'cut over': () => changeRecord(hand, old.host, { value: target.host, ttl: record.ttl }),
    validate: () => validate(hand),
    'count lost': () => countLost(hand),
    'back up': async () => {
      const socket = ['--host', target.service.socketDirectory, '--port', String(target.port)];
      const connection = [...socket, '--username=postgres', `--dbname=${state.ledger.database}`];
      await makeArchive(state, dump.folder, connection);
      await upload(state, 'west', join(dump.folder, 'made'), dump.bucket);
      await upload(state, 'east', join(dump.folder, 'made'), dump.bucket);
    },
    'write down': () => writeDown(hand, { dump: dump.sha256 }),
  };
}

/** An empty cluster with the settings of the old one, its roles, and an empty database. */
export async function makeCluster(hand: Hand, dump: KeptDump): Promise<void> {
  const { state, target } = hand;
  const account = databaseAccount();
  const layout = layoutOf(state.dir).sites.recovery;
  await makeRoom(hand, ROOM);
  await initCluster(layout, 'ledger', { bin: state.postgresBin, account });
  await writeSiteSettings(layout, account, {
    ...listening(layout, target.host, target.port),
    // A dump brings no archive along: WAL is kept from the next base backup on.
    archive_command: 'true',
  });
  await start(hand);
  const local = ['-h', target.service.socketDirectory, '-p', String(target.port), '-U', 'postgres', '-q'];
  const psqlFile = (input: string) => type(program(hand, 'psql'), local, { as: 'database', input });
  await until('the new cluster', () => psqlFile('select 1;').then(() => true), 50);
  await psqlFile(dump.roles);
  await psqlFile(`create database ${state.ledger.database};`);
}

async function checkPages(hand: Hand): Promise<void> {
  await stop(hand);
  const { dataDirectory } = hand.target.service;
  const pages = await type(program(hand, 'pg_checksums'), ['--check', '-D', dataDirectory], {
    as: 'database',
  });
  must(/Bad checksums: +0/.test(pages), 'no page is bad');
  await start(hand);
  await until('the copy', () => psql(hand, hand.target, () => Promise.resolve(true)), 50);
}
