/** What the running activities of a run report, read from Temporal: the run's own code is not asked. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { LoadedDataConverter, Payload, ProtoFailure } from '@temporalio/common';
import type { Progress } from '../model/run.js';

/** An activity that works for a step, or waits for its next attempt. */
export interface StepActivity {
  /** From 1. */
  readonly attempt: number;
  readonly progress?: Progress;
  /** Why the attempt before this one failed. */
  readonly lastFailure?: string;
}

/** The step an activity works for. Activity ids are `<step>` or `<step>.<n>`. */
export function stepOfActivity(activityId: string): string {
  return activityId.split('.', 1)[0] ?? activityId;
}

/** What works for each step now. Of several activities of one step the one that reports progress counts. */
export async function readActivity(
  converter: LoadedDataConverter,
  { raw }: WorkflowExecutionDescription,
): Promise<Readonly<Record<string, StepActivity>>> {
  const found: Record<string, StepActivity> = {};
  for (const pending of raw.pendingActivities ?? []) {
    const step = stepOfActivity(pending.activityId ?? '');
    const progress = await decodeProgress(converter, pending.heartbeatDetails?.payloads?.[0]);
    const attempt = Math.max(1, pending.attempt ?? 1);
    const failure = attempt > 1 ? await messageOfFailure(converter, pending.lastFailure) : undefined;
    if (found[step]?.progress !== undefined && progress === undefined) continue;
    found[step] = {
      attempt,
      ...(progress === undefined ? {} : { progress }),
      ...(failure ? { lastFailure: failure } : {}),
    };
  }
  return found;
}

/** The progress of each step that reports any, as the forecast takes it. */
export function progressOf(activity: Readonly<Record<string, StepActivity>>): Record<string, Progress> {
  const found: Record<string, Progress> = {};
  for (const [step, { progress }] of Object.entries(activity))
    if (progress !== undefined) found[step] = progress;
  return found;
}

async function decodeProgress(
  converter: LoadedDataConverter,
  payload: Payload | undefined,
): Promise<Progress | undefined> {
  const value = await decode(converter, payload);
  return isProgress(value) ? value : undefined;
}

/** The message of a failure may be encrypted: then it stands in `encodedAttributes`. */
export async function messageOfFailure(
  converter: LoadedDataConverter,
  failure: ProtoFailure | null | undefined,
): Promise<string | undefined> {
  const encoded = await decode(converter, failure?.encodedAttributes ?? undefined);
  const { message } = { ...failure, ...(encoded as { message?: unknown } | undefined) };
  return typeof message === 'string' ? message : undefined;
}

async function decode(converter: LoadedDataConverter, payload: Payload | undefined): Promise<unknown> {
  if (payload === undefined) return undefined;
  let payloads = [payload];
  for (const codec of [...converter.payloadCodecs].reverse()) payloads = await codec.decode(payloads);
  return payloads[0] && converter.payloadConverter.fromPayload(payloads[0]);
}

// Heartbeats of other kinds (a bare sign of life) are no progress.
function isProgress(value: unknown): value is Progress {
  if (typeof value !== 'object' || value === null) return false;
  const { done, total, unit, text } = value as Partial<Record<keyof Progress, unknown>>;
  return (
    typeof done === 'number' &&
    Number.isFinite(done) &&
    (total === undefined || typeof total === 'number') &&
    typeof unit === 'string' &&
    typeof text === 'string'
  );
}
