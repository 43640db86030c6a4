import { stopProcess } from '../process.js';
import type { LabState } from '../state.js';

/** Ends the core API, if it runs. */
export async function endApplication({ parts }: LabState): Promise<void> {
  const app = parts['payymo-app'];
  if (app !== undefined) await stopProcess(app, app.stopSignal);
}
