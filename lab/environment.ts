import { originsOf } from '../src/codec-endpoint/settings.js';
import { portOf } from '../src/ports.js';
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
    ...payloadEnvironment(state),
    // Of interest to whoever maintains Muster, not to whoever recovers with it.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/** How payloads are encrypted in this lab, and on which port a worker decrypts them for the UI. */
export function payloadEnvironment({ payloads, temporal }: Pick<LabState, 'payloads' | 'temporal'>) {
  if (payloads === undefined) return { MUSTER_PAYLOAD_ENCRYPTION: 'off' };
  return {
    MUSTER_PAYLOAD_KEYS: payloads.keys,
    MUSTER_CODEC_PORT: String(portOf(payloads.codecUrl)),
    MUSTER_CODEC_ORIGINS: originsOf(temporal.uiUrl).join(','),
  };
}
