import { rm } from 'node:fs/promises';
import { serversOf } from './clusters.js';
import { LabError } from './errors.js';
import { exists, removeFolder } from './folders.js';
import { layoutOf } from './layout.js';
import { whileLocked } from './lock.js';
import { stopProcess } from './process.js';
import { readState } from './state.js';

/**
 * Ends every process of the lab and removes its folder. A process is only ended when it is the very one that was started,
 * or a PostgreSQL server on a data directory of the lab.
 *
 * @returns whether there was a lab
 */
export async function downLab(dir: string, options: { log: (line: string) => void }): Promise<boolean> {
  const layout = layoutOf(dir);
  return whileLocked(layout, async () => {
    if (!(await exists(layout.mark))) {
      if (!(await exists(layout.dir))) return false;
      throw new LabError(
        `${layout.dir} is not a lab.`,
        'Nothing has been touched: name the lab with MUSTER_LAB.',
      );
    }
    const state = await readState(layout);
    const parts = Object.values(state?.parts ?? {});
    await Promise.all([
      ...parts.map((part) => stopProcess(part, part.stopSignal)),
      ...(await serversOf(layout)).map((server) => stopProcess(server, 'SIGQUIT')),
    ]);
    options.log(`stopped ${parts.length} parts`);
    await removeFolder(layout.dir, layout.mark);
    if (layout.shortSockets) await rm(layout.shortSockets, { recursive: true, force: true });
    return true;
  });
}
