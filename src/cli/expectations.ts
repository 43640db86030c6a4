/** What past runs tell about the time of each step. A recovery never waits for it. */
import { messageOf } from '../errors.js';
import { localLab } from '../lab-environment.js';
import type { Expectations } from '../model/run.js';
import { expectationsFor } from '../store/runs.js';
import { storeSettings } from '../store/settings.js';
import { RECORDING, Store } from '../store/store.js';

export interface PastTimes {
  readonly expectations: Expectations;
  /** Why there are none, where that is not simply because nothing was run yet. */
  readonly remark?: string;
}

/** @param env names the store; that of the lab that is up counts where it names none */
export async function readExpectations(
  env: Readonly<Record<string, string | undefined>>,
  system: string,
  scenario: string,
): Promise<PastTimes> {
  let store: Store | undefined;
  try {
    const settings = storeSettings({ ...(await labStore(env)), ...env });
    if (settings === undefined)
      return { expectations: {}, remark: 'no store is configured (MUSTER_STORE_URL)' };
    store = new Store(settings, RECORDING);
    return { expectations: await expectationsFor(store, system, scenario) };
  } catch (error) {
    return { expectations: {}, remark: messageOf(error) };
  } finally {
    await store?.close();
  }
}

async function labStore(
  env: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<string, string>>> {
  return env.MUSTER_STORE_URL ? {} : ((await localLab(env))?.environment ?? {});
}
