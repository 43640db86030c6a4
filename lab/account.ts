import { userInfo } from 'node:os';
import { accountIds } from '../src/process.js';
import { LabError } from './errors.js';

/** The operating-system account that PostgreSQL and pgBackRest run under. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root: root hands the databases to the account that Debian's packages create (`postgres`),
 * everybody else uses their own account.
 *
 * @throws LabError when run as root on a machine without that account.
 */
export function databaseAccount(): Account {
  const own = userInfo();
  if (own.uid !== 0) return { name: own.username, uid: own.uid, gid: own.gid };
  try {
    const { uid, gid } = accountIds('postgres');
    return { name: 'postgres', uid, gid };
  } catch (error) {
    throw new LabError(
      'The lab runs as root, PostgreSQL cannot, and there is no account named postgres to run it under.',
      'Create it (useradd --system --create-home postgres), or run the lab from an ordinary account.',
      error,
    );
  }
}

/** Options for a child process that must run under `account`; empty when that is the current account already. */
export function asAccount(account: Account): { uid?: number; gid?: number } {
  return userInfo().uid === account.uid ? {} : { uid: account.uid, gid: account.gid };
}
