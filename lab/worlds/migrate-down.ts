/**
 * Takes migrations of a system's database back: what the owner's own program does in production.
 *
 * Environment: MUSTER_LAB, the folder of the lab; WORLD_SYSTEM. Standard input: `{"inputs": {"migrations": [newest, ...]}}`.
 */
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { defaultLabDir, layoutOf } from '../layout.js';
import { needed } from '../service/http.js';
import { readState } from '../state.js';
import { isWorld } from './index.js';
import { migrateDown } from './release.js';

const told = z.object({ inputs: z.object({ migrations: z.array(z.string()) }) });

const layout = layoutOf(defaultLabDir());
const state = await readState(layout);
if (state === undefined) throw new Error(`there is no lab in ${layout.dir}`);
const system = needed('WORLD_SYSTEM');
if (!isWorld(system)) throw new Error(`no system of the lab is called ${system}`);
const { inputs } = told.parse(JSON.parse(await text(process.stdin)));
const takenBack = await migrateDown(state, system, inputs.migrations);
process.stdout.write(`${JSON.stringify({ takenBack })}\n`);
