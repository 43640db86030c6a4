import { migrateStore } from '../../src/store/migrate.js';
import type { PartContext } from './all.js';
import { socketClient, withClient } from './postgres.js';

/**
 * Brings the schema of Muster's store up to date, as the cluster's superuser: the role that records owns nothing in it, so it
 * can add to the journal and never change it.
 */
export async function prepareStore({ layout, state }: PartContext): Promise<void> {
  await withClient(socketClient(layout.store, state.store.port, state.store.database), (client) =>
    migrateStore(client, state.store.login.user),
  );
}
