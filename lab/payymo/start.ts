/**
 * Brings Payymo's core API up outside of a lost zone: what the owner's deployment does in production. It may be run twice.
 *
 * Environment: MUSTER_LAB, the folder of the lab; MUSTER_SITE, where the database will be. Standard input: what Muster tells the
 * programs of owners; where it says that logins have new passwords (`inputs.credentials`: user -> reference), the lab knows them from
 * then on, and the application is started anew.
 */
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { databaseAccount } from '../account.js';
import { World } from '../keeper.js';
import { defaultLabDir, layoutOf, REGION_OF, SITES } from '../layout.js';
import { findPrograms } from '../parts/lookup.js';
import { ensurePart } from '../parts/part.js';
import { appPart } from '../parts/payymo.js';
import { readSecrets } from '../secrets.js';
import { type LoginState, readState } from '../state.js';
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
  const renew = (login: LoginState): LoginState => ({
    ...login,
    password: renewed[login.user] ?? login.password,
  });
  const [admin, app] = [renew(ledger.admin), renew(ledger.app)];
  const [deploy, replication] = [renew(ledger.deploy), renew(ledger.replication)];
  if (app.password !== ledger.app.password) await endApplication(state);
  await world.update({ ledger: { ...ledger, admin, app, deploy, replication } });
}
const site = SITES.find((name) => name === process.env.MUSTER_SITE) ?? 'west';
const app = appPart({ ...context, state: world.state }, REGION_OF[site]);
// Its database is being recovered: that it responds is enough.
await ensurePart({ ...app, answers: app.responds ?? app.answers }, world);
process.exit(0);

async function renewedLogins(): Promise<Readonly<Record<string, string>>> {
  const told = process.stdin.isTTY ? '' : await text(process.stdin);
  if (told.trim() === '') return {};
  const credentials = z.record(z.string(), z.string()).default({});
  const inputs = z.object({ credentials }).default({ credentials: {} });
  return z.object({ inputs }).parse(JSON.parse(told)).inputs.credentials;
}
