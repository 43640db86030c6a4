/** SpendSync's new release is bad, and has migrated the database: the one before comes back, and every write stays. */
import { badReleaseCell } from './support/release.js';

badReleaseCell({
  system: 'spendsync',
  by: 'engineering-lead',
  schema: 'spend',
  table: 'expenses',
  column: 'currency',
  breaks: '/members/1/spent',
  migrations: { stay: ['0002_categories'], goes: '0003_currency' },
  releases: ['2.2.0', '2.3.0', '2.4.0', '2.3.0'],
  functions: ['What a member has spent can be read', 'An expense is entered and can be read again'],
});
