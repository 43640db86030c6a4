/** `muster store`: the database in which Muster records. */
import { InputError } from '../../errors.js';
import type { Register } from '../context.js';

interface Options {
  readonly recorder: string;
}

export const register: Register = (program, context) => {
  const store = program
    .command('store')
    .description('the database in which Muster records runs, journal and reports')
    .addHelpText(
      'after',
      `
Examples:
  muster store migrate --recorder muster`,
    );
  store
    .command('migrate')
    .description(
      'bring its schema up to date; MUSTER_STORE_URL and MUSTER_STORE_PASSWORD name its owner here',
    )
    .requiredOption(
      '--recorder <role>',
      'the role that workers log in as: it may add to the journal, never change it',
    )
    .addHelpText(
      'after',
      `
The role must exist, and should not be the owner. Running it again changes nothing.

Examples:
  MUSTER_STORE_URL=postgres://owner@store:5432/muster MUSTER_STORE_PASSWORD=file:/run/secrets/owner \\
    muster store migrate --recorder muster`,
    )
    .action(async ({ recorder }: Options) => {
      const { storeSettings } = await import('../../store/settings.js');
      const { migrateStore, withOwner } = await import('../../store/migrate.js');
      const settings = storeSettings(context.world.env);
      if (settings === undefined) {
        throw new InputError("It is not said where Muster's store is.", [
          { field: 'MUSTER_STORE_URL', given: 'nothing', allowed: 'postgres://owner@host:port/database' },
        ]);
      }
      const applied = await withOwner(settings, (client) => migrateStore(client, recorder));
      context.out.result({ applied }, () =>
        applied.length === 0 ? 'The store is up to date.' : `Applied: ${applied.join(', ')}.`,
      );
    });
};
