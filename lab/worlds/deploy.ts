/**
 * Brings the application of a system up again outside of what was lost: what the owner's deployment does in production. It may
 * be run twice.
 *
 * Environment: MUSTER_LAB, the folder of the lab; WORLD_SYSTEM.
 */
import { World } from '../keeper.js';
import { defaultLabDir, layoutOf } from '../layout.js';
import { ensurePart } from '../parts/part.js';
import { needed } from '../service/http.js';
import { readState } from '../state.js';
import { isWorld } from './index.js';
import { worldAppPart, worldIn } from './parts.js';

const layout = layoutOf(defaultLabDir());
const state = await readState(layout);
if (state === undefined) throw new Error(`there is no lab in ${layout.dir}`);
const system = needed('WORLD_SYSTEM');
if (!isWorld(system)) throw new Error(`no system of the lab is called ${system}`);
const app = worldAppPart({ layout, state }, worldIn({ layout, state }, system));
// Its database is being recovered: that it responds is enough.
await ensurePart({ ...app, answers: app.responds ?? app.answers }, new World(layout, state, () => undefined));
process.exit(0);
