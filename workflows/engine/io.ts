/** The activities as steps see them: one set for each way of retrying, every call labelled for the Temporal timeline. */
import { type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { MusterActivities } from '../../activities/contract.js';

/** Every activity heartbeats by itself, so a worker that died or froze is noticed after this. */
const heartbeatTimeout = '10 s';

/**
 * Work that is to be stopped is waited for: what undoes it, or does it anew, must not run beside it. Said for every
 * policy: left out, the SDK gives up waiting at once, whatever its documentation says of a default.
 */
const cancellationType = 'WAIT_CANCELLATION_COMPLETED';

const policies = {
  quick: {
    startToCloseTimeout: '1 min',
    heartbeatTimeout,
    cancellationType,
    retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '10 s', maximumAttempts: 8 },
  },
  long: {
    startToCloseTimeout: '12 h',
    heartbeatTimeout,
    cancellationType,
    retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '30 s', maximumAttempts: 6 },
  },
  careful: {
    startToCloseTimeout: '20 min',
    heartbeatTimeout,
    cancellationType,
    retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '5 s', maximumAttempts: 5 },
  },
  // Nobody is asked whether an undo is to be tried again: it outlasts a restart of what it needs.
  undo: {
    startToCloseTimeout: '20 min',
    heartbeatTimeout,
    cancellationType,
    retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '10 s', maximumAttempts: 15 },
  },
  // Somebody waits for the answer: a few quick tries, then they are told.
  proof: {
    startToCloseTimeout: '10 s',
    heartbeatTimeout,
    cancellationType,
    retry: { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '2 s', maximumAttempts: 4 },
  },
  // Of use at this moment only, and nobody waits for it.
  look: {
    startToCloseTimeout: '10 s',
    heartbeatTimeout,
    cancellationType,
    retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumAttempts: 2 },
  },
  // What keeps the record must outlast any outage; it stands beside the work and holds nothing up.
  record: {
    startToCloseTimeout: '30 s',
    heartbeatTimeout,
    cancellationType,
    retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '10 s' },
  },
} satisfies Record<string, ActivityOptions>;

export type Policy = keyof typeof policies;

const proxies = {
  quick: proxyActivities<MusterActivities>(policies.quick),
  long: proxyActivities<MusterActivities>(policies.long),
  careful: proxyActivities<MusterActivities>(policies.careful),
  undo: proxyActivities<MusterActivities>(policies.undo),
  proof: proxyActivities<MusterActivities>(policies.proof),
  look: proxyActivities<MusterActivities>(policies.look),
  record: proxyActivities<MusterActivities>(policies.record),
};

/**
 * @param summary what the Temporal UI shows for the call; cut to 200 bytes
 * @param nextId gives each call its activity id, from which observers read the step
 */
export function labelledActivities(policy: Policy, summary: string, nextId: () => string): MusterActivities {
  const proxy = proxies[policy];
  return new Proxy({} as MusterActivities, {
    get: (_target, name: keyof MusterActivities) => (input: never) =>
      proxy[name].executeWithOptions(
        { ...policies[policy], summary: cut(summary, 200), activityId: nextId() },
        [input],
      ),
  });
}

/** Cuts to a number of bytes at most, with an ellipsis. */
export function cut(text: string, maxBytes: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxBytes) return text;
  return `${new TextDecoder().decode(bytes.slice(0, maxBytes - 3)).replace(/\uFFFD+$/, '')}…`;
}
