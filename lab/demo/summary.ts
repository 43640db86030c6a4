import type { LossReport, ReportFiles } from '../../activities/contract.js';
import { formatCount, formatDuration } from '../../src/model/format.js';
import type { RunView } from '../../src/model/run.js';

/** What the demo ends with. */
export interface DemoOutcome {
  readonly view: RunView;
  readonly loss: LossReport['classes'];
  readonly report: Pick<ReportFiles, 'html' | 'json' | 'signature' | 'publicKey'> | undefined;
  readonly temporalUi: string;
}

/** One line of JSON. */
export function summariseForScripts({ view, loss, report, temporalUi }: DemoOutcome): string {
  const { clock } = view;
  return JSON.stringify({
    runId: view.runId,
    scenario: view.scenario,
    system: view.system,
    result: view.status,
    rto: {
      targetMs: clock.targetMs,
      actualMs: clock.actualMs ?? null,
      workingMs: clock.workingMs,
      waitingMs: clock.waitingMs,
    },
    rpo: Object.fromEntries(
      Object.entries(loss).map(([name, { targetMs, actualMs, lostRecords }]) => [
        name,
        { targetMs, actualMs, lostRecords },
      ]),
    ),
    report: report ?? null,
    temporalUi,
  });
}

export function summariseForPeople({ view, loss, report, temporalUi }: DemoOutcome): string[] {
  const { clock } = view;
  const took =
    clock.actualMs === undefined ? 'the service is not back' : `back after ${formatDuration(clock.actualMs)}`;
  return [
    '',
    `5  ${view.status}: ${took}, RTO ${formatDuration(clock.targetMs)}; people waited for ${formatDuration(clock.waitingMs)}`,
    ...Object.entries(loss).map(([name, { lostRecords, actualMs, targetMs }]) =>
      lostRecords === null || actualMs === null
        ? `   ${name}: not measured`
        : `   ${name}: ${formatCount(lostRecords)} lost over ${formatDuration(actualMs)}, RPO ${formatDuration(targetMs)}`,
    ),
    ...(report === undefined ? [] : [`   report       ${report.html}`]),
    `   Temporal UI  ${temporalUi}`,
    '',
  ];
}
