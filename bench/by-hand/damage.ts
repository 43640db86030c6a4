/** Looking at the damage, and finding the backup and the WAL that lead to the moment before it. */

import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pgbackrestOf } from '../../src/runbook/backups.js';
import type { Invariant, PostgresSite } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { ask, type Hand, moment, pgbackrestFor, program, psql } from './hand.js';
import { must, type, until } from './shell.js';

/** What the primary serves meanwhile is not to suffer. */
const INVARIANTS_AT_ONCE = 2;

/** @returns how many rows break each rule */
export async function assess(hand: Hand): Promise<Record<string, number>> {
  await psql(hand, hand.old, async (client) => {
    await ask(
      client,
      `select version(), (pg_control_system()).system_identifier, pg_is_in_recovery(),
              pg_walfile_name(pg_current_wal_lsn()), pg_database_size(current_database())`,
    );
    const { rows } = await client.query(
      "select tgrelid::regclass, tgname from pg_trigger where not tgisinternal and tgenabled = 'D'",
    );
    must(rows.length > 0, 'the change has left a trigger off');
  });
  const broken = await breaches(hand, hand.old, INVARIANTS_AT_ONCE);
  must((broken.signatures ?? 0) > 0, 'the damage breaks signatures');
  return broken;
}

/** Asks every invariant of the runbook how many rows break it. */
export async function breaches(
  hand: Hand,
  site: PostgresSite,
  atOnce: number,
): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  const { invariants } = hand.runbook.verification;
  await several(
    invariants.map((invariant) => async () => {
      found[invariant.name] = await breachesOf(hand, site, invariant);
    }),
    atOnce,
  );
  return found;
}

async function breachesOf(hand: Hand, site: PostgresSite, invariant: Invariant): Promise<number> {
  const parameters = await Promise.all(invariant.parameters.map(resolveSecret));
  return psql(hand, site, async (client) => {
    const sql = invariant.sql.trim().replace(/;$/, '');
    const { broken } = await ask<{ broken: string }>(
      client,
      `select count(*) as broken from (\n${sql}\n) as rows`,
      parameters,
    );
    return Number(broken);
  });
}

/** Does the tasks, so many at once. */
export async function several(tasks: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  const waiting = tasks.values();
  const work = async () => {
    for (const task of waiting) await task();
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

export interface Way {
  /** Label of the backup in each repository that leads to the moment. */
  readonly labels: Readonly<Record<number, string>>;
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Acknowledged payments that going back loses. */
  readonly loses: number;
}

/** Hands the newest WAL over, then looks for a backup before the moment and the WAL from there on in each repository. */
export async function findWay(hand: Hand): Promise<Way> {
  const { system, segment } = await psql(hand, hand.old, async (client) => {
    await client.query('select pg_current_xact_id()');
    const row = await ask<{ segment: string; system: string }>(
      client,
      `select pg_walfile_name(pg_switch_wal()) as segment,
              (select system_identifier::text from pg_control_system()) as system`,
    );
    await untilArchived(client, row.segment);
    return row;
  });
  const repositories = pgbackrestOf(hand.runbook, 'ledger')?.repositories.map(({ number }) => number) ?? [];
  const [loses, ...labels] = await Promise.all([
    acknowledgedSince(hand, hand.before).then((payments) => payments.length),
    ...repositories.map((number) => labelIn(hand, number, system, segment)),
  ]);
  return {
    labels: Object.fromEntries(repositories.map((number, index) => [number, labels[index] ?? ''])),
    systemIdentifier: system,
    timeline: Number.parseInt(segment.slice(0, 8), 16),
    loses,
  };
}

export async function untilArchived(client: Parameters<typeof ask>[0], segment: string): Promise<void> {
  await until(
    `${segment} in the archive`,
    async () => {
      const { archived } = await ask<{ archived: boolean | null }>(
        client,
        'select left(last_archived_wal, 24) >= $1 as archived from pg_stat_archiver',
        [segment],
      );
      return archived === true ? true : undefined;
    },
    50,
  );
}

interface Listed {
  readonly label: string;
  readonly database: { readonly 'repo-key': number };
  readonly archive: { readonly start: string };
  readonly timestamp: { readonly stop: number };
}

async function labelIn(hand: Hand, repository: number, system: string, last: string): Promise<string> {
  const common = [...pgbackrestFor(hand, hand.old), `--repo=${repository}`, '--log-level-console=off'];
  const info = await type('pgbackrest', [...common, '--output=json', 'info'], { as: 'database' });
  must(info.includes(system), `repository ${repository} is of system ${system}`);
  const [{ backup }] = JSON.parse(info) as [{ backup: readonly Listed[] }];
  const stopsBefore = Math.floor(Date.parse(hand.before) / 1000);
  const chosen = backup
    .filter((one) => one.database['repo-key'] === repository && one.timestamp.stop < stopsBefore)
    .at(-1);
  if (chosen === undefined) throw new Error(`repository ${repository} holds no backup from before`);
  const folder = `archive/${hand.state.ledger.stanza}/15-1/${last.slice(0, 16)}`;
  const list = await type('pgbackrest', [...common, 'repo-ls', folder], { as: 'database' });
  const present = new Set([...list.matchAll(/^([0-9A-F]{24})-[0-9a-f]{40}/gm)].map(([, name]) => name));
  for (const name of between(chosen.archive.start, last)) must(present.has(name), `${name} is archived`);
  await requireCommitSince(hand, common, last);
  return chosen.label;
}

/** Names of segments of 16 MB in one folder of the archive. */
function between(first: string, last: string): string[] {
  const index = (name: string) => Number.parseInt(name.slice(16), 16);
  const count = index(last) - index(first) + 1;
  const name = (at: number) => `${first.slice(0, 16)}${at.toString(16).toUpperCase().padStart(8, '0')}`;
  return Array.from({ length: count }, (_, offset) => name(index(first) + offset));
}

/** Replay stops before the first commit at or after the moment: there must be one in what is archived. */
async function requireCommitSince(hand: Hand, common: readonly string[], segment: string): Promise<void> {
  const folder = join(hand.old.service.socketDirectory, `wal-${randomBytes(4).toString('hex')}`);
  const file = join(folder, segment);
  await type('mkdir', ['-m', '0700', folder], { as: 'database' });
  try {
    await type('pgbackrest', [...common, 'archive-get', segment, file], { as: 'database' });
    const records = await type(program(hand, 'pg_waldump'), ['--rmgr=Transaction', file], {
      as: 'database',
    }).catch(({ stdout }: { stdout: string }) => stdout);
    const commits = [...records.matchAll(/desc: COMMIT (\S+ \S+) UTC/g)].map(([, at = '']) => at);
    must(
      commits.some((at) => at >= moment(hand.before).slice(0, 26)),
      'the archive reaches the moment',
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

export interface Acknowledged {
  readonly id: string;
  readonly at: string;
}

/** What users were told is paid, from the payments gateway. */
export async function acknowledgedSince(hand: Hand, since: string): Promise<readonly Acknowledged[]> {
  const url = new URL('/acknowledged', hand.state.payymo.clientUrl);
  url.searchParams.set('since', since);
  const answer = await fetch(url);
  must(answer.ok, 'the payments gateway answers');
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Acknowledged);
}
