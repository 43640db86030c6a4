/** What a recovery will do, shown before it is begun. */
import type { PlanDocument } from '../../model/plan.js';
import type { Expectations, Mode } from '../../model/run.js';
import { busy, dim, type Line, pad, paintLine, plain, strong, warn, wrap } from './line.js';
import { clock, span, utc } from './units.js';

export interface RecoveryHead {
  readonly plan: PlanDocument;
  readonly hash: string;
  readonly mode: Mode;
  /** ISO 8601; absent where the scenario goes back to no moment. */
  readonly before?: string;
  readonly detectedAt: string;
  readonly requestedBy: string;
  readonly temporal: string;
  /** Names and milliseconds of the steps on the critical path, and their sum. */
  readonly path: readonly string[];
  readonly budgetMs: number;
  readonly expectations: Expectations;
  readonly remarks: readonly string[];
}

/** Pure. */
export function renderRecoveryHead(
  head: RecoveryHead,
  { width, color, now }: { readonly width: number; readonly color: boolean; readonly now: number },
): string[] {
  const { plan } = head;
  const detectedMs = Date.parse(head.detectedAt);
  const production = plan.steps.filter((step) => step.effect === 'production');
  const noReturn = plan.steps.find((step) => step.pointOfNoReturn);
  const gates = plan.steps.flatMap(({ gate }) => (gate === undefined ? [] : [gate]));
  const known = head.path.filter((name) => head.expectations[name] !== undefined).length;
  const rows: [string, string][] = [
    ['does', plan.title],
    ...(head.before === undefined ? [] : [['back to before', precise(head.before, now)] as [string, string]]),
    [
      'detected',
      `${utc(head.detectedAt, now)}, ${clock(now - detectedMs)} ago: the RTO clock runs since then`,
    ],
    [
      'RTO',
      `${plan.component} ${span(plan.rtoMs)}, until ${utc(detectedMs + plan.rtoMs, now)}; budgets until back ${clock(head.budgetMs)}, plus people's time`,
    ],
    ['critical path', head.path.join(' - ')],
    ...(known === 0
      ? []
      : [
          ['past runs', `times of ${known} of ${head.path.length} steps on it are known`] as [string, string],
        ]),
    ...gates.map((gate): [string, string] => ['asks', `${gate.roles.join(' or ')} at the gate ${gate.gate}`]),
    [
      'production',
      `${production.map((step) => step.name).join(', ')}; nothing of it before a gate is approved`,
    ],
    ...(noReturn === undefined
      ? []
      : [
          ['no way back', `after ${noReturn.name}; until then an abort undoes everything`] as [
            string,
            string,
          ],
        ]),
    ['begun by', `${head.requestedBy}, on Temporal at ${head.temporal}, plan ${head.hash.slice(0, 12)}`],
  ];
  const label = Math.max(...rows.map(([name]) => name.length));
  const room = width - label - 4;
  const lines: Line[] = [
    [strong(plan.system), '  ', plan.scenario, '  ', head.mode === 'real' ? warn('REAL') : busy('DRILL')],
    ...rows.flatMap(([name, value]) =>
      wrap(plain(value), room).map(
        (text, index): Line => [' ', dim(pad(index === 0 ? name : '', label)), '  ', text],
      ),
    ),
    ...head.remarks.flatMap((remark) =>
      wrap(plain(remark), width - 7).map(
        (text, index): Line => [index === 0 ? warn(' note  ') : '       ', text],
      ),
    ),
  ];
  return lines.map((line) => paintLine(line, width, color));
}

/** To the microsecond where it was given so: it decides what is lost. */
function precise(moment: string, now: number): string {
  const fraction = /\.(\d+)Z$/.exec(moment)?.[1]?.replace(/0+$/, '') ?? '';
  const text = utc(moment, now);
  return fraction === '' ? text : text.replace(' UTC', `.${fraction} UTC`);
}
