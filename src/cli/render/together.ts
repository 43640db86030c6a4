/** Several systems that are recovered together: a line each. Pure. */
import type { RecoverAllView, SystemStanding, SystemState } from '../../model/recover-all.js';
import {
  bad,
  best,
  busy,
  dim,
  good,
  type Line,
  type Piece,
  pad,
  paintLine,
  plain,
  strong,
  warn,
  widthOf,
} from './line.js';
import { clock, span, utc } from './units.js';

export interface TogetherSize {
  readonly width: number;
  readonly color: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const WORDS: Readonly<Record<SystemState, Piece>> = {
  pending: dim('next'),
  running: busy('works'),
  waiting: warn('WAITS'),
  undoing: warn('undoing'),
  recovered: good('recovered'),
  aborted: bad('ABORTED'),
  failed: bad('FAILED'),
  refused: bad('NOT BEGUN'),
  'broken-off': bad('BROKEN OFF'),
};
const STATE = 10;

export function renderTogether(view: RecoverAllView, { width, color, now }: TogetherSize): string[] {
  const { scenario, systems, startedAt, requestedBy, atOnce, mode, endedAt, calledOff } = view;
  const over = systems.filter(({ state }) => state === 'recovered').length;
  const name = Math.max(...systems.map(({ system }) => widthOf(system)));
  const verdict =
    over === systems.length
      ? best('ALL RECOVERED')
      : endedAt === undefined
        ? strong(`${over} OF ${systems.length} RECOVERED`)
        : bad(`${over} OF ${systems.length} RECOVERED`);
  const lines: Line[] = [
    [
      strong(`${systems.length} systems`),
      `  ${scenario}  ${mode}  begun ${utc(startedAt, now)} by ${plain(requestedBy)}`,
    ],
    [verdict, `  ${atOnce} work at once${calledOff ? ', called off: nothing more is begun' : ''}`],
    [],
    ...systems.map(
      (one): Line => [
        ` ${pad(one.system, name)}  ${one.tier} `,
        padPiece(WORDS[one.state], STATE),
        ' ',
        clockOf(one, now),
        ...what(one, now),
      ],
    ),
    ...actions(systems),
  ];
  return lines.map((line) => paintLine(line, width, color));
}

function clockOf({ backAfterMs, detectedAt, targetMs, endedAt }: SystemStanding, now: number): Piece {
  const until = endedAt === undefined ? now : Date.parse(endedAt);
  const ms = backAfterMs ?? until - Date.parse(detectedAt);
  const text = pad(`${clock(ms)} of ${span(targetMs)}`, 17);
  return ms > targetMs ? bad(text) : { text, style: 'plain' };
}

function what({ waits, works, because, held, backAfterMs, state }: SystemStanding, now: number): Line {
  const words = [
    ...(held ? ['HELD'] : []),
    ...(backAfterMs !== undefined && state !== 'recovered' ? ['service back'] : []),
    ...waits.map(({ on, whom, failed, since }) => {
      const forMs = clock(now - Date.parse(since));
      return failed ? `${on} FAILED, for ${forMs}` : `${on}: ${plain(whom)}, for ${forMs}`;
    }),
    ...(works.length === 0 ? [] : [works.join(', ')]),
    ...(because === undefined ? [] : [plain(because)]),
  ];
  return ['  ', words.join('; ')];
}

/** Gates that several wait at are given together. */
function actions(systems: readonly SystemStanding[]): Line[] {
  const gates = systems.flatMap(({ waits }) => waits.filter(({ failed }) => !failed).map(({ on }) => on));
  const waiting = systems.filter(({ waits }) => waits.length > 0).map(({ system }) => system);
  if (waiting.length === 0) return [];
  return [
    [],
    [strong('NOW POSSIBLE')],
    ...[...new Set(gates)].map((gate): Line => {
      const count = gates.filter((one) => one === gate).length;
      return [
        `   muster approve --all ${gate} --by NAME`,
        dim(`   ${count} ${count === 1 ? 'waits' : 'wait'} at it`),
      ];
    }),
    ...waiting.map((system): Line => [`   muster decide ${system}`]),
  ];
}

function padPiece({ text, style }: Piece, width: number): Piece {
  return { text: pad(text, width), style };
}

/** What is new since the last look, a line a system, for logs. */
export function changesTogether(before: RecoverAllView | undefined, after: RecoverAllView): string[] {
  return after.systems.flatMap((one) => {
    const old = before?.systems.find(({ system }) => system === one.system);
    const now = stateInWords(one);
    return old !== undefined && stateInWords(old) === now
      ? []
      : [`${utc(after.asOf)}  ${one.system}  ${now}`];
  });
}

function stateInWords({ state, waits, works, because, backAfterMs }: SystemStanding): string {
  const words = [
    ...waits.map(({ on, whom, failed }) => (failed ? `${on} has failed` : `${on}: ${plain(whom)}`)),
    ...(works.length === 0 ? [] : [works.join(', ')]),
    ...(because === undefined ? [] : [plain(because)]),
    ...(backAfterMs === undefined ? [] : [`service back after ${clock(backAfterMs)}`]),
  ];
  return words.length === 0 ? state : `${state}: ${words.join('; ')}`;
}
