/** Keeps what the Temporal UI and searches show in step with the run. */
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { formatClock, formatDuration, formatTimeOfDay } from '../../src/model/format.js';
import type { RunView, StepView } from '../../src/model/run.js';
import { searchAttributes } from '../../src/model/search-attributes.js';
import type { Beside } from './beside.js';
import { TellParent } from './tell-parent.js';

export class Publisher {
  private status = '';
  private step = '';
  private due = false;
  private readonly parent = new TellParent();

  constructor(
    private readonly beside: Beside,
    private readonly viewNow: () => RunView,
    /** Done each time, before it is shown. */
    private readonly before: () => void,
  ) {}

  /** Shows the run as it is at the next pause; the first time at once. */
  publish(): void {
    if (this.due) return;
    if (this.status === '') {
      this.publishNow();
      return;
    }
    this.due = true;
    this.beside.soon(() => this.publishNow());
  }

  publishNow(): void {
    this.due = false;
    this.before();
    const view = this.viewNow();
    const step = view.steps
      .filter(({ status }) => status === 'running' || status === 'waiting')
      .map(({ name }) => name)
      .join(' ')
      .slice(0, 250);
    const first = this.status === '';
    if (view.status !== this.status || step !== this.step) {
      this.status = view.status;
      this.step = step;
      upsertSearchAttributes([
        { key: searchAttributes.status, value: view.status },
        { key: searchAttributes.step, value: step === '' ? null : step },
        ...(first
          ? [
              { key: searchAttributes.system, value: view.system },
              { key: searchAttributes.scenario, value: view.scenario },
              { key: searchAttributes.mode, value: view.mode },
              { key: searchAttributes.rtoDeadline, value: new Date(view.clock.deadline) },
            ]
          : []),
      ] as Parameters<typeof upsertSearchAttributes>[0]);
    }
    this.parent.tell(view);
    setCurrentDetails(describeRun(view));
  }
}

/** The run as Markdown, for the Temporal UI. */
export function describeRun(view: RunView): string {
  const { clock } = view;
  const elapsed = Date.parse(view.asOf) - Date.parse(clock.detectedAt);
  const lines = [
    `**${view.systemTitle}: ${view.scenario}, ${view.mode}, ${view.status}**`,
    '',
    `Detected ${formatTimeOfDay(clock.detectedAt)}; ${formatClock(clock.actualMs ?? elapsed)} of ${formatDuration(clock.targetMs)} RTO ${clock.actualMs === undefined ? 'used' : 'needed'}; waiting for people ${formatDuration(clock.waitingMs)}.`,
    '',
  ];
  for (const decision of view.openDecisions) {
    lines.push(
      `- **waits for ${decision.roles.join(' or ') || 'a decision'}**: ${decision.question}`,
      ...decision.choices.map(({ choice, consequence }) => `  - \`${choice}\`: ${consequence}`),
    );
  }
  const rows = view.steps.map(
    (step) => `| ${step.status} | ${step.name} | ${stepTime(step)} | ${step.summary ?? ''} |`,
  );
  lines.push('', '| status | step | time of budget | result |', '|---|---|---|---|', ...rows);
  return lines.join('\n');
}

function stepTime(step: StepView): string {
  if (step.begun === 0) return `${formatDuration(step.budgetMs)}`;
  return `${formatClock(step.workingMs + step.waitingMs)} of ${formatDuration(step.budgetMs)}`;
}
