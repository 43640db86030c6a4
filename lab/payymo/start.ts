/**
 * Brings Payymo's core API up outside of a lost zone: what the owner's deployment does in production. It may be run twice.
 *
 * Environment: MUSTER_LAB, the folder of the lab; MUSTER_SITE, where the database will be.
 */
import { databaseAccount } from '../account.js';
import { World } from '../keeper.js';
import { defaultLabDir, layoutOf, REGION_OF, SITES } from '../layout.js';
import { findPrograms } from '../parts/lookup.js';
import { ensurePart } from '../parts/part.js';
import { appPart } from '../parts/payymo.js';
import { readSecrets } from '../secrets.js';
import { readState } from '../state.js';

const layout = layoutOf(defaultLabDir());
const state = await readState(layout);
if (state === undefined) throw new Error(`there is no lab in ${layout.dir}`);
const secrets = await readSecrets(layout.secrets);
const context = { layout, state, secrets, programs: findPrograms(), account: databaseAccount() };
const site = SITES.find((name) => name === process.env.MUSTER_SITE) ?? 'west';
const app = appPart(context, REGION_OF[site]);
// Its database is being recovered: that it responds is enough.
await ensurePart({ ...app, answers: app.responds ?? app.answers }, new World(layout, state, () => undefined));
process.exit(0);
