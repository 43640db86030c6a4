/** What `muster serve` says when everything runs. */
import type { EmbeddedState } from '../../embedded/state.js';
import type { Colors } from '../output.js';

export interface Serving {
  readonly pid: number;
  readonly temporal: EmbeddedState['temporal'];
  readonly codecUrl: string;
  /** null: payloads are in clear. */
  readonly payloadKeys: string | null;
  readonly home: string;
  readonly logs: string;
}

export function renderServing(
  { temporal, codecUrl, payloadKeys, home, logs }: Serving,
  colors: Colors,
): string {
  const payloads =
    payloadKeys === null
      ? 'in clear, as MUSTER_PAYLOAD_ENCRYPTION=off says'
      : `encrypted with ${payloadKeys.split(',')[0]}; the UI decrypts them at ${codecUrl}`;
  return [
    `${colors.bold('Temporal UI')}  ${temporal.uiUrl}`,
    `Temporal     ${temporal.address}, namespace ${temporal.namespace}; muster commands find it by themselves`,
    'Worker       ready',
    `Payloads     ${payloads}`,
    `Kept in      ${home}, logs in ${logs}`,
    '',
    'In another terminal: muster recover --help. Ctrl-C ends it; what runs goes on when it is started again.',
  ].join('\n');
}
