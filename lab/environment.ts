import type { LabState } from './state.js';

/**
 * The environment in which Muster's worker and command line work with this lab: its Temporal, its store, its runbooks. Holds
 * references to secrets, never the secrets.
 */
export function labEnvironment(state: LabState): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: state.temporal.address,
    TEMPORAL_NAMESPACE: state.temporal.namespace,
    MUSTER_LAB: state.dir,
    MUSTER_HOME: state.home,
    MUSTER_RUNBOOKS: state.runbooks,
    MUSTER_STORE_URL: state.store.url,
    MUSTER_STORE_PASSWORD: state.store.login.password,
    // Of interest to whoever maintains Muster, not to whoever recovers with it.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}
