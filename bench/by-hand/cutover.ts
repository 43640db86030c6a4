/** From the copy to production: promotion, DNS, proof. */
import { Resolver } from 'node:dns/promises';
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { resolveSecret } from '../../src/secrets.js';
import { tryFunctions } from './application.js';
import { ask, type Hand, psql } from './hand.js';
import { must, until } from './shell.js';
import { addClaim, recordPromotion } from './vault.js';

/** @returns the timeline that the new primary writes on */
export async function promote(hand: Hand, systemIdentifier: string, lsn: string): Promise<number> {
  return psql(hand, hand.target, async (client) => {
    const before = await ask<{ system: string; state: string; lsn: string }>(
      client,
      `select (select system_identifier::text from pg_control_system()) as system,
              pg_get_wal_replay_pause_state() as state, pg_last_wal_replay_lsn()::text as lsn`,
    );
    must(before.system === systemIdentifier && before.state === 'paused' && before.lsn === lsn, 'it stands');
    const number = await addClaim(hand, { kind: 'promotion', systemIdentifier, timeline: 1 });
    const { promoted } = await ask<{ promoted: boolean }>(client, 'select pg_promote(true, 60) as promoted');
    must(promoted, 'it was promoted');
    const { timeline } = await ask<{ timeline: number }>(
      client,
      `select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer as timeline`,
    );
    const file = `pg_wal/${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
    const { history } = await ask<{ history: string }>(client, 'select pg_read_file($1) as history', [file]);
    must(history.includes(`1\t${lsn}\t`), 'the new timeline begins where the copy stood');
    await client.query('begin; create temporary table x (); rollback');
    await recordPromotion(hand, number, timeline);
    return timeline;
  });
}

interface Wanted {
  readonly value: string;
  readonly ttl: number;
}

/** Replaces exactly what the record holds, and waits until resolvers tell the new value. */
export async function changeRecord(hand: Hand, expected: string, wanted: Wanted): Promise<void> {
  const { record } = hand;
  const api = new Route53Client({
    region: record.region,
    ...(record.endpoint === undefined ? {} : { endpoint: record.endpoint }),
    credentials: {
      accessKeyId: await resolveSecret(record.accessKeyId ?? ''),
      secretAccessKey: await resolveSecret(record.secretAccessKey ?? ''),
    },
  });
  try {
    const { ResourceRecordSets: [now] = [] } = await api.send(
      new ListResourceRecordSetsCommand({
        HostedZoneId: record.zoneId,
        StartRecordName: record.name,
        StartRecordType: 'A',
        MaxItems: 1,
      }),
    );
    must(now?.ResourceRecords?.[0]?.Value === expected, `${record.name} leads to ${expected}`);
    const { ChangeInfo } = await api.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: record.zoneId,
        ChangeBatch: {
          Changes: [
            { Action: 'DELETE', ResourceRecordSet: now },
            {
              Action: 'CREATE',
              ResourceRecordSet: {
                Name: record.name,
                Type: 'A',
                TTL: wanted.ttl,
                ResourceRecords: [{ Value: wanted.value }],
              },
            },
          ],
        },
      }),
    );
    const inSync = async () => {
      const change = await api.send(new GetChangeCommand({ Id: ChangeInfo?.Id }));
      return change.ChangeInfo?.Status === 'INSYNC' ? true : undefined;
    };
    const followed = record.resolvers.map((resolver) => () => answers(resolver, record.name, wanted.value));
    await Promise.all([
      until('Route 53', inSync, 200),
      ...followed.map((look) => until('resolvers', look, 100)),
    ]);
  } finally {
    api.destroy();
  }
}

async function answers(server: string, name: string, value: string): Promise<true | undefined> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([server]);
  const found = await resolver.resolve4(name);
  return found.length === 1 && found[0] === value ? true : undefined;
}

/** The old side refuses, the new one takes writes and archives them, and the application works on it. */
export async function validate(hand: Hand): Promise<void> {
  const refused = await psql(hand, hand.old, async () => 'accepted', { as: 'application' }).catch(
    (error: { code?: string }) => error.code ?? '',
  );
  must(['28000', 'ECONNREFUSED'].includes(refused), `the old primary refuses (${refused})`);
  await psql(hand, hand.target, async (client) => {
    const { good } = await ask<{ good: boolean }>(
      client,
      "select not pg_is_in_recovery() and current_setting('archive_mode') = 'on' as good",
    );
    must(good, 'the new primary takes writes and archives them');
    await client.query('begin; create temporary table x (); rollback');
  });
  const { url, healthPath } = hand.application;
  await until(
    'the application',
    async () => {
      const answer = await fetch(new URL(healthPath, url), { headers: { connection: 'close' } });
      const text = await answer.text();
      return answer.ok && text.includes(hand.target.host) ? true : undefined;
    },
    100,
  );
  await tryFunctions(hand.application, url);
}
