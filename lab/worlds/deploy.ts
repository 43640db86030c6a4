/**
 * Brings the application of a system up again outside of what was lost: what the owner's deployment does in production. It may
 * be run twice.
 *
 * Environment: MUSTER_LAB, the folder of the lab; WORLD_SYSTEM; MUSTER_SITE, where its database will be; MUSTER_RELEASE, the release
 * to put into service where it is not the one that is there.
 */
import { World } from '../keeper.js';
import { defaultLabDir, layoutOf } from '../layout.js';
import { ensurePart } from '../parts/part.js';
import { needed } from '../service/http.js';
import { readState } from '../state.js';
import { isWorld } from './index.js';
import { worldAppPart, worldIn } from './parts.js';
import { deployRelease } from './release.js';

const layout = layoutOf(defaultLabDir());
const state = await readState(layout);
if (state === undefined) throw new Error(`there is no lab in ${layout.dir}`);
const system = needed('WORLD_SYSTEM');
if (!isWorld(system)) throw new Error(`no system of the lab is called ${system}`);
const release = process.env.MUSTER_RELEASE;
if (release === undefined) {
  const world = worldIn({ layout, state }, system);
  const site = world.definition.sites.find(({ name }) => name === process.env.MUSTER_SITE);
  const app = worldAppPart({ layout, state }, world, site?.region);
  // Its database is being recovered: that it responds is enough.
  await ensurePart(
    { ...app, answers: app.responds ?? app.answers },
    new World(layout, state, () => undefined),
  );
} else {
  await deployRelease(state, system, release);
}
process.exit(0);
