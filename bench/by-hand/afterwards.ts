/** What remains once the service is back: the loss, fresh backups, a record. */

import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pgbackrestOf } from '../../src/runbook/backups.js';
import { acknowledgedSince, untilArchived } from './damage.js';
import { ask, type Hand, pgbackrestFor, psql } from './hand.js';
import { must, type } from './shell.js';

/** Clocks differ a little. */
const MARGIN_MS = 60_000;

/** @returns identifiers of acknowledged payments that are not in the recovered ledger */
export async function countLost(hand: Hand): Promise<readonly string[]> {
  const since = new Date(Date.parse(hand.before) - MARGIN_MS).toISOString();
  const acknowledged = await acknowledgedSince(hand, since);
  return psql(hand, hand.target, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      'select id from ledger.transactions where id = any($1)',
      [acknowledged.map(({ id }) => id)],
    );
    const present = new Set(rows.map(({ id }) => id));
    return acknowledged.flatMap(({ id }) => (present.has(id) ? [] : [id]));
  });
}

/** A full backup into each repository. pgBackRest takes one at a time of a cluster. */
export async function backUp(hand: Hand, timeline: number): Promise<void> {
  const { target } = hand;
  await psql(hand, target, async (client) => {
    await client.query('checkpoint');
    const { segment } = await ask<{ segment: string }>(
      client,
      "select pg_walfile_name(pg_create_restore_point('by-hand')) as segment, pg_switch_wal()",
    );
    await untilArchived(client, segment);
  });
  for (const { number } of pgbackrestOf(hand.runbook, 'ledger')?.repositories ?? []) {
    const common = [...pgbackrestFor(hand, target), `--repo=${number}`];
    await type(
      'pgbackrest',
      [
        ...common,
        `--pg1-path=${target.service.dataDirectory}`,
        `--pg1-port=${target.port}`,
        `--pg1-socket-path=${target.service.socketDirectory}`,
        ...[
          '--type=full',
          '--start-fast',
          `--process-max=${pgbackrestOf(hand.runbook, 'ledger')?.processes}`,
        ],
        ...['--no-expire-auto', 'backup'],
      ],
      { as: 'database' },
    );
    const info = await type('pgbackrest', [...common, '--output=json', 'info'], { as: 'database' });
    const first = timeline.toString(16).toUpperCase().padStart(8, '0');
    must(info.includes(`"start":"${first}`), `repository ${number} holds a backup of the new timeline`);
  }
}

/** What was done and found, signed. */
export async function writeDown(hand: Hand, facts: object): Promise<void> {
  const folder = join(hand.state.home, 'by-hand');
  await mkdir(folder, { recursive: true });
  const text = Buffer.from(`${JSON.stringify(facts, null, 2)}\n`);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await writeFile(join(folder, 'report.json'), text);
  await writeFile(join(folder, 'report.sig'), sign(null, text, privateKey));
  await writeFile(join(folder, 'report.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
}
