/**
 * Every command, in the order of the help. To add one: a file beside this one that exports `register`, and a line here.
 * Load what is heavy (Temporal's client, drivers) inside the action with `await import(...)`: help and checks stay quick.
 */
import type { Register } from '../context.js';
import * as check from './check.js';
import * as plan from './plan.js';
import * as schema from './schema.js';

export const commands: readonly Register[] = [check.register, plan.register, schema.register];
