import type { PrintedCommand } from '../../src/model/plan.js';
import type { Backup, Bucket } from '../../src/runbook/schema.js';
import { openLoadedCommands } from '../archive/commands.js';
import type { DatabaseAt } from '../contract.js';

/** The promotion by hand: first the token, then the server. @param given.backup what the copy was made from; left out: pgBackRest's */
export function promoteCommands({
  target,
  vault,
  backup,
}: {
  readonly target: DatabaseAt;
  readonly vault: Bucket;
  readonly backup?: Pick<Backup, 'driver'>;
}): readonly PrintedCommand[] {
  const s3 = (verb: string) =>
    `aws s3api ${verb} --bucket ${vault.bucket}${vault.endpoint === undefined ? '' : ` --endpoint-url ${vault.endpoint}`} --region ${vault.region}${vault.caFile === undefined ? '' : ` --ca-bundle ${vault.caFile}`}`;
  const anywhere = 'anywhere that reaches the vault';
  return [
    {
      where: anywhere,
      command: s3('list-objects-v2 --prefix claims/<system>/ --query "Contents[].Key"'),
      note: "The last claim must be the fence of this recovery. If it is another run's, or a promotion for the same system identifier and timeline is among them: stop.",
    },
    {
      where: anywhere,
      command: s3(
        "put-object --key claims/<system>/<next number, 8 digits>.json --if-none-match '*' --body <promotion.json>",
      ),
      note:
        'promotion.json: {"kind":"promotion","number":<next number>,"system":"<system>","runId":"<run>","at":"<now, ISO 8601>","systemIdentifier":"<of the damaged primary>","timeline":<of the damaged primary>,"fencingToken":<number of the fence>,"site":"' +
        target.site +
        '","replayLsn":"<from the next command>","checksSha256":"by hand"}. Refused with 412: somebody else was faster; stop.',
    },
    ...(backup?.driver === 'archive' ? openLoadedCommands({ target }) : endRecovery(target)),
  ];
}

function endRecovery({ postgres }: DatabaseAt): readonly PrintedCommand[] {
  const { host, port, database, admin } = postgres;
  const where = 'anywhere that reaches the recovered copy';
  const psql = (statement: string) =>
    `psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -Atc "${statement}"`;
  return [
    {
      where,
      command: psql(
        'SELECT pg_is_in_recovery(), pg_get_wal_replay_pause_state(), pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp()',
      ),
      note: 'Must be: t, paused, the position that was verified, a time before the point.',
    },
    {
      where,
      command: psql('SELECT pg_promote(true, 60)'),
      note: 'Must answer t. There is no way back from here.',
    },
    {
      where,
      command: psql('SELECT pg_is_in_recovery(), pg_walfile_name(pg_current_wal_lsn())'),
      note: 'Must be: f, and a name whose first 8 digits are a later timeline than that of the damaged primary.',
    },
  ];
}
