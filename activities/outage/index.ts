/** Both ways out of an outage, looked at together: people decide between them on one screen. */
import { setTimeout as delay } from 'node:timers/promises';
import { MusterError, messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { activitySignal } from '../context.js';
import type { MusterActivities, StandbyState, WaysOpen } from '../contract.js';
import { proposeNewest } from '../point/newest.js';
import { checkStandby } from '../standby/check.js';
import { unfitBecause } from './fitness.js';

type Input = Parameters<MusterActivities['lookAtWays']>[0];

/** A way may break for a moment; an outage does not end within seconds. */
const TRIES = 2;
const BETWEEN_MS = 1_000;

export function outageActivities(): Pick<MusterActivities, 'lookAtWays'> {
  return { lookAtWays };
}

async function lookAtWays(input: Input): Promise<WaysOpen> {
  const { standby, from, maxLagMs } = input;
  const [state, point] = await Promise.all([
    answered(() => checkStandby(input)),
    answered(() => proposeNewest(input)),
  ]);
  const stands = 'value' in state ? state.value : null;
  const known = 'value' in point ? point.value : null;
  const unfit = 'value' in state ? unfitBecause(state.value, known, maxLagMs) : [sentence(state.error)];
  const fit = unfit.length === 0;
  const [replaced, proposed] =
    fit || known === null ? ([stands, standby.site] as const) : ([known, from.site] as const);
  if (replaced === null) throw noWay(input, [state, point]);
  const { systemIdentifier, timeline, time } = replaced;
  return {
    ...{ systemIdentifier, timeline, time },
    standby: { site: standby.site, state: stands, unfit },
    restore: {
      site: from.site,
      point: known,
      problem: 'value' in point ? null : sentence(point.error),
    },
    proposed,
    summary: summaryOf(input, { fit, unfit, state, restorable: known !== null }),
  };
}

type Answered<T> = { readonly value: T } | { readonly error: MusterError };

/** What is wrong with a way is an answer; a fault of Muster itself is not. */
async function answered<T>(look: () => Promise<T>): Promise<Answered<T>> {
  for (let tried = 1; ; tried++) {
    try {
      return { value: await look() };
    } catch (error) {
      if (!(error instanceof MusterError)) throw error;
      if (!(error instanceof TransientError) || tried === TRIES) return { error };
    }
    await delay(BETWEEN_MS, undefined, { signal: activitySignal() });
  }
}

function summaryOf(
  { standby, from }: Input,
  found: {
    readonly fit: boolean;
    readonly unfit: readonly string[];
    readonly state: Answered<StandbyState>;
    readonly restorable: boolean;
  },
): string {
  const { fit, unfit, state, restorable } = found;
  if (fit && 'value' in state) return `the standby takes over: ${state.value.summary}`;
  const why = `the standby at ${standby.site} is not fit: ${unfit.join('; ')}`;
  return restorable
    ? `a backup is restored at ${from.site}: ${why}`
    : `${why}; and no backup can be restored: somebody has to decide`;
}

function noWay({ standby, from }: Input, ways: readonly Answered<unknown>[]): PermanentError {
  const [first = '', second = ''] = ways.map((way) => ('error' in way ? sentence(way.error) : ''));
  return new PermanentError(
    'NoWayOpen',
    `Neither the standby at ${standby.site} nor a backup at ${from.site} can take over.`,
    {
      why: `The standby: ${first}. The backup: ${second}.`,
      next: 'Bring the way to one of them back and retry the step, or abort and look at every copy there is: muster recover backupLoss, where the runbook has it.',
    },
  );
}

function sentence(error: MusterError): string {
  const why = error.why === undefined ? '' : ` ${error.why}`;
  return `${messageOf(error)}${why}`.trim().replace(/\.$/, '');
}
