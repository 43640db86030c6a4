/** What befalls the processes of a lab: some die, some stand still. */
import { databaseAccount } from '../../lab/account.js';
import { World } from '../../lab/keeper.js';
import { layoutOf } from '../../lab/layout.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { ensurePart } from '../../lab/parts/part.js';
import { workerPart } from '../../lab/parts/worker.js';
import { isRunning, type ProcessMark } from '../../lab/process.js';
import { readSecrets } from '../../lab/secrets.js';
import { type LabState, type PartName, readState } from '../../lab/state.js';
import { eventually } from './eventually.js';
import type { TestLab } from './lab.js';

/** Undoes a fault. */
export type Mend = () => void;

/** A part as it runs now, also when it was started again since the lab came up. */
async function currentPart(lab: TestLab, name: PartName): Promise<ProcessMark> {
  const part = (await stateOf(lab)).parts[name];
  if (part === undefined) throw new Error(`the lab has no ${name}`);
  return part;
}

async function stateOf(lab: TestLab): Promise<LabState> {
  const state = await readState(layoutOf(lab.dir));
  if (state === undefined) throw new Error('the lab is gone');
  return state;
}

/** Ends a part as a power cut does, and returns when it is gone. */
export async function killPart(lab: TestLab, name: PartName): Promise<void> {
  const part = await currentPart(lab, name);
  process.kill(part.pid, 'SIGKILL');
  await eventually(async () => {
    if (isRunning(part)) throw new Error(`${name} still runs`);
  });
}

/** Lets a process stand still: it neither answers nor goes away. */
export function freeze(pid: number): Mend {
  process.kill(pid, 'SIGSTOP');
  return () => process.kill(pid, 'SIGCONT');
}

export async function freezePart(lab: TestLab, name: PartName): Promise<Mend> {
  return freeze((await currentPart(lab, name)).pid);
}

/** Starts Muster's worker again and nothing else of the lab. */
export async function startWorker(lab: TestLab): Promise<void> {
  const layout = layoutOf(lab.dir);
  const world = new World(layout, await stateOf(lab), () => undefined);
  const context = {
    layout,
    state: world.state,
    programs: findPrograms(),
    account: databaseAccount(),
    secrets: await readSecrets(layout.secrets),
  };
  const worker = workerPart(context);
  if (worker === undefined) throw new Error('the worker is not built');
  await ensurePart(worker, world);
}
