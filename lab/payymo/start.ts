/**
 * Brings Payymo's core API up outside of a lost zone: what the owner's deployment does in production. It may be run twice.
 *
 * Environment: MUSTER_LAB, the folder of the lab; MUSTER_SITE, where the database will be. Standard input: what Muster tells the
 * programs of owners; where it says that logins have new passwords (`inputs.credentials`: user -> reference), the lab knows them from
 * then on, and the application is started anew.
 */
import { databaseAccount } from '../account.js';
import { World } from '../keeper.js';
import { defaultLabDir, layoutOf, REGION_OF, SITES } from '../layout.js';
import { findPrograms } from '../parts/lookup.js';
import { ensurePart } from '../parts/part.js';
import { appPart } from '../parts/payymo.js';
import { readSecrets } from '../secrets.js';
import { renew, renewedLogins } from '../service/renewed.js';
import { readState } from '../state.js';
import { endApplication } from './end.js';

const layout = layoutOf(defaultLabDir());
const state = await readState(layout);
if (state === undefined) throw new Error(`there is no lab in ${layout.dir}`);
const secrets = await readSecrets(layout.secrets);
const context = { layout, state, secrets, programs: findPrograms(), account: databaseAccount() };
const world = new World(layout, state, () => undefined);
const renewed = await renewedLogins();
const { ledger } = state;
if (Object.keys(renewed).length > 0) {
  const [admin, app] = [renew(ledger.admin, renewed), renew(ledger.app, renewed)];
  const [deploy, replication] = [renew(ledger.deploy, renewed), renew(ledger.replication, renewed)];
  if (app.password !== ledger.app.password) await endApplication(state);
  await world.update({ ledger: { ...ledger, admin, app, deploy, replication } });
}
const site = SITES.find((name) => name === process.env.MUSTER_SITE) ?? 'west';
const app = appPart({ ...context, state: world.state }, REGION_OF[site]);
// Its database is being recovered: that it responds is enough.
await ensurePart({ ...app, answers: app.responds ?? app.answers }, world);
process.exit(0);
