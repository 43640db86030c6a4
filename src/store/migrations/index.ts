import { sql as record } from './0001-record.js';
import { sql as usedCodes } from './0002-used-codes.js';
import { sql as adoption } from './0003-adoption.js';

export interface Migration {
  /** From 1, without gaps. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/** In the order in which they are applied. One that has been released is never changed: add another. */
export const migrations: readonly Migration[] = [
  { number: 1, name: 'record', sql: record },
  { number: 2, name: 'used-codes', sql: usedCodes },
  { number: 3, name: 'adoption', sql: adoption },
];
