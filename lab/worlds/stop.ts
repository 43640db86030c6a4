/**
 * Ends the application of a system: what the owner's program does in production. It may be run twice.
 *
 * Environment: MUSTER_LAB, the folder of the lab; WORLD_SYSTEM.
 */
import { defaultLabDir, layoutOf } from '../layout.js';
import { stopProcess } from '../process.js';
import { needed } from '../service/http.js';
import { readState } from '../state.js';
import { isWorld } from './index.js';

const layout = layoutOf(defaultLabDir());
const state = await readState(layout);
if (state === undefined) throw new Error(`there is no lab in ${layout.dir}`);
const system = needed('WORLD_SYSTEM');
if (!isWorld(system)) throw new Error(`no system of the lab is called ${system}`);
const app = state.parts[`${system}-app`];
if (app !== undefined) await stopProcess(app, app.stopSignal);
