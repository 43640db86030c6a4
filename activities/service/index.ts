/** Starting, stopping and looking at a PostgreSQL server's process, by the driver that the runbook names. */
import type { PostgresSite } from '../../src/runbook/schema.js';
import type { ControlData } from './control-data.js';
import { pgCtl } from './pg-ctl.js';

export { binDirectoryOf, majorVersionOf, programOf, versionOf } from './binaries.js';
export type { ControlData } from './control-data.js';
export { adminOf, hasLeftRecovery } from './recovery-state.js';

/** `fast` ends sessions and writes a checkpoint; `immediate` only ends: recovery is needed at the next start. */
export type StopMode = 'fast' | 'immediate';

export interface ClusterService {
  /** Process number of the running server; undefined: it is stopped. */
  pid(): Promise<number | undefined>;
  /**
   * Starts the server as the runbook's account. Does nothing when it runs already.
   * @param wait `ready`: returns when it takes connections; `no`: returns at once, for whoever follows its log
   * @throws PermanentError `ServerStartFailed` with the end of its log
   */
  start(wait: 'ready' | 'no'): Promise<void>;
  /** Stops the server and waits until it is gone. Does nothing when it is stopped already. */
  stop(mode: StopMode): Promise<void>;
  /** Reads pg_control. @throws PermanentError `NoCluster` when the directory holds no complete cluster */
  control(): Promise<ControlData>;
}

const drivers = { 'pg-ctl': pgCtl } as const;

/** The service of a site's PostgreSQL. */
export function serviceOf(postgres: PostgresSite): ClusterService {
  return drivers[postgres.service.driver](postgres);
}
