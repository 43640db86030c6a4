/**
 * Ends Payymo's core API: what the owner's program does in production. It may be run twice.
 *
 * Environment: MUSTER_LAB, the folder of the lab.
 */
import { defaultLabDir, layoutOf } from '../layout.js';
import { readState } from '../state.js';
import { endApplication } from './end.js';

const layout = layoutOf(defaultLabDir());
const state = await readState(layout);
if (state === undefined) throw new Error(`there is no lab in ${layout.dir}`);
await endApplication(state);
