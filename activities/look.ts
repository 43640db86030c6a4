import { activityInfo, getClient } from '@temporalio/activity';
import { progressOf, readActivity } from '../src/temporal/progress.js';
import type { ProgressSeen } from './contract.js';

/** What the activities of the run that asks report now, read from Temporal. Changes nothing. */
export async function readProgress(): Promise<ProgressSeen> {
  const { workflowExecution } = activityInfo();
  if (workflowExecution === undefined) return { steps: {}, summary: 'no run has asked' };
  const { workflow, options } = getClient();
  const handle = workflow.getHandle(workflowExecution.workflowId, workflowExecution.runId);
  const steps = progressOf(await readActivity(options.loadedDataConverter, await handle.describe()));
  const texts = Object.entries(steps).map(([step, { text }]) => `${step}: ${text}`);
  return { steps, summary: texts.length === 0 ? 'no step reports progress' : texts.join('; ') };
}
