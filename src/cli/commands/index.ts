/**
 * Every command, in the order of the help. To add one: a file beside this one that exports `register`, and a line here.
 * Load what is heavy (Temporal's client, drivers) inside the action with `await import(...)`: help and checks stay quick.
 */
import type { Register } from '../context.js';
import * as abort from './abort.js';
import * as adopt from './adopt.js';
import * as approve from './approve.js';
import * as archives from './archives.js';
import * as backup from './backup.js';
import * as bundle from './bundle.js';
import * as check from './check.js';
import * as codec from './codec.js';
import * as decide from './decide.js';
import * as deny from './deny.js';
import * as diagnose from './diagnose.js';
import * as handOver from './hand-over.js';
import * as history from './history.js';
import * as hold from './hold.js';
import * as journal from './journal.js';
import * as lab from './lab.js';
import * as notify from './notify.js';
import * as override from './override.js';
import * as people from './people.js';
import * as plan from './plan.js';
import * as recover from './recover.js';
import * as report from './report.js';
import * as resume from './resume.js';
import * as retry from './retry.js';
import * as schema from './schema.js';
import * as serve from './serve.js';
import * as skip from './skip.js';
import * as statement from './statement.js';
import * as status from './status.js';
import * as store from './store.js';
import * as update from './update.js';
import * as watch from './watch.js';
import * as withdraw from './withdraw.js';

export const commands: readonly Register[] = [
  check.register,
  plan.register,
  diagnose.register,
  recover.register,
  adopt.register,
  backup.register,
  archives.register,
  watch.register,
  status.register,
  decide.register,
  approve.register,
  deny.register,
  withdraw.register,
  override.register,
  retry.register,
  skip.register,
  hold.register,
  resume.register,
  handOver.register,
  abort.register,
  update.register,
  people.register,
  statement.register,
  report.register,
  history.register,
  journal.register,
  serve.register,
  codec.register,
  lab.register,
  notify.register,
  store.register,
  bundle.register,
  schema.register,
];
