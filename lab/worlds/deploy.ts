/**
 * Brings the application of a system up again outside of what was lost: what the owner's deployment does in production. It may
 * be run twice.
 *
 * Environment: MUSTER_LAB, the folder of the lab; WORLD_SYSTEM; MUSTER_SITE, where its database will be; MUSTER_RELEASE, the release
 * to put into service where it is not the one that is there. Standard input: what Muster tells the programs of owners; where it says
 * that logins have new passwords, the lab knows them from then on, and the application is started anew.
 */
import { World } from '../keeper.js';
import { defaultLabDir, layoutOf } from '../layout.js';
import { ensurePart } from '../parts/part.js';
import { stopProcess } from '../process.js';
import { needed } from '../service/http.js';
import { renew, renewedLogins } from '../service/renewed.js';
import { readState } from '../state.js';
import { isWorld } from './index.js';
import { worldAppPart, worldIn } from './parts.js';
import { deployRelease } from './release.js';

const layout = layoutOf(defaultLabDir());
const state = await readState(layout);
if (state === undefined) throw new Error(`there is no lab in ${layout.dir}`);
const system = needed('WORLD_SYSTEM');
if (!isWorld(system)) throw new Error(`no system of the lab is called ${system}`);
const world = new World(layout, state, () => undefined);
const renewed = await renewedLogins();
const before = state.worlds[system];
if (before !== undefined && Object.keys(renewed).length > 0) {
  const app = renew(before.app, renewed);
  const running = world.known(`${system}-app`);
  if (running !== undefined && app.password !== before.app.password)
    await stopProcess(running, running.stopSignal);
  await world.addWorld(system, {
    ...{ ...before, app, admin: renew(before.admin, renewed) },
    ...{ deploy: renew(before.deploy, renewed), replication: renew(before.replication, renewed) },
  });
}
const release = process.env.MUSTER_RELEASE;
if (release === undefined) {
  const now = { layout, state: world.state };
  const own = worldIn(now, system);
  const site = own.definition.sites.find(({ name }) => name === process.env.MUSTER_SITE);
  const app = worldAppPart(now, own, site?.region);
  // Its database is being recovered: that it responds is enough.
  await ensurePart({ ...app, answers: app.responds ?? app.answers }, world);
} else {
  await deployRelease(world.state, system, release);
}
process.exit(0);
