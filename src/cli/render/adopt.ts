/** What stands of a run that is about to be taken over. */
import type { AdoptableRun } from '../../model/adoption.js';
import type { PlanDocument } from '../../model/plan.js';
import type { ScenarioParams } from '../../model/run.js';
import type { Runbook } from '../../runbook/schema.js';
import { busy, dim, type Line, pad, paintLine, plain, strong, warn, wrap } from './line.js';
import { clock, span, utc } from './units.js';

export interface AdoptionHead {
  readonly run: AdoptableRun<Runbook, ScenarioParams>;
  readonly document: PlanDocument;
  readonly by: string;
  readonly number: number;
  /** The bucket, in words. */
  readonly source: string;
  /** Fingerprints of the keys that the anchors are signed with. */
  readonly signedBy: readonly string[];
  /** What somebody put over anchors, or hid; what was signed was read all the same. */
  readonly covered: readonly string[];
  readonly temporal: string;
}

/** Pure. */
export function renderAdoption(
  head: AdoptionHead,
  { width, color, now }: { readonly width: number; readonly color: boolean; readonly now: number },
): string[] {
  const { run, document } = head;
  const { input, adoption } = run;
  const detectedMs = Date.parse(input.detectedAt);
  const rows: [string, string][] = [
    ['run', `${input.runId}, begun by ${input.requestedBy} at ${utc(adoption.startedAt, now)}`],
    [
      'detected',
      `${utc(input.detectedAt, now)}, ${clock(now - detectedMs)} ago: the RTO clock has run since then`,
    ],
    ['RTO', `${document.component} ${span(document.rtoMs)}, until ${utc(detectedMs + document.rtoMs, now)}`],
    ...stepRows(head),
    ['commander', adoption.commander],
    ...held(head, now),
    [
      'journal',
      `${adoption.entries} entries, whole, ends with ${adoption.head.slice(0, 16)}; from ${head.source}, signed with ${head.signedBy.map((key) => key.slice(0, 16)).join(' and ')}`,
    ],
    ...head.covered.map((text): [string, string] => ['beware', text]),
    [
      'taken over',
      `by ${head.by}, adoption ${head.number}, on Temporal at ${head.temporal}; the lost server is refused from then on, should it come back`,
    ],
  ];
  const label = Math.max(...rows.map(([name]) => name.length));
  const lines: Line[] = [
    [strong(run.system), '  ', run.scenario, '  ', input.mode === 'real' ? warn('REAL') : busy('DRILL')],
    ...rows.flatMap(([name, value]) =>
      wrap(plain(value), width - label - 4).map(
        (text, index): Line => [' ', dim(pad(index === 0 ? name : '', label)), '  ', text],
      ),
    ),
  ];
  return lines.map((line) => paintLine(line, width, color));
}

function stepRows({ run, document }: AdoptionHead): [string, string][] {
  const { steps, aborted } = run.adoption;
  const named = (wanted: (name: string) => boolean) =>
    document.steps
      .map(({ name }) => name)
      .filter(wanted)
      .join(', ');
  const rows: [string, string][] = [
    ['done', named((name) => ['done', 'skipped'].includes(steps[name]?.status ?? ''))],
    ['undone', named((name) => steps[name]?.status === 'undone')],
    ['looked at again', named((name) => steps[name]?.underWay === true)],
    ['waits', named((name) => steps[name]?.status === 'waiting')],
    [
      'still to come',
      named((name) => (steps[name]?.status ?? 'pending') === 'pending' && steps[name]?.underWay !== true),
    ],
    [
      'approved',
      Object.values(steps)
        .flatMap((step) => step.approvals.map(({ by }) => by))
        .join(', '),
    ],
    ['being undone', aborted === undefined ? '' : `aborted by ${aborted.by}: ${aborted.reason}`],
  ];
  return rows.filter(([, value]) => value !== '');
}

function held({ run }: AdoptionHead, now: number): [string, string][] {
  const { hold } = run.adoption;
  return hold === undefined ? [] : [['held', `by ${hold.by} since ${utc(hold.since, now)}: ${hold.reason}`]];
}
