/** The journal of a run, for a terminal. */
import type { ChainedEntry, JournalHead } from '../../store/chain.js';
import type { Colors } from '../output.js';
import { cut, pad, plain, wrap } from './line.js';

export function renderEntries(
  entries: readonly ChainedEntry[],
  facts: boolean,
  colors: Colors,
  width: number,
): string {
  const kinds = Math.max(0, ...entries.map(({ body }) => body.kind.length));
  let day = '';
  return entries
    .flatMap(({ body }) => {
      const lines: string[] = [];
      if (body.at.slice(0, 10) !== day) {
        day = body.at.slice(0, 10);
        lines.push(colors.dim(`${plain(day)} UTC`));
      }
      const head = `${pad(String(body.index), 4, 'right')}  ${plain(body.at.slice(11, 23))}  ${pad(plain(body.kind), kinds)}`;
      const text = plain([body.step, body.by, body.text].filter((part) => part !== undefined).join(': '));
      lines.push(`${tinted(body.kind, head, colors)}  ${cut(text, Math.max(20, width - head.length - 2))}`);
      if (facts) {
        for (const { label, value } of body.facts) {
          lines.push(
            ...wrap(`${plain(label)}: ${plain(value)}`, width - 10).map((part) =>
              colors.dim(`          ${part}`),
            ),
          );
        }
      }
      return lines;
    })
    .join('\n');
}

function tinted(kind: string, text: string, colors: Colors): string {
  if (kind === 'step-failed' || kind === 'warning') return colors.yellow(text);
  if (kind === 'decision' || kind === 'gate-opened') return colors.cyan(text);
  return text;
}

export interface ShownJournalVerdict {
  readonly ok: boolean;
  readonly runId: string;
  readonly intact: boolean;
  readonly complete: boolean;
  readonly head: JournalHead;
  readonly problems: readonly string[];
  readonly cautions: readonly string[];
}

export function renderJournalVerdict(verdict: ShownJournalVerdict, colors: Colors, width: number): string {
  const { head } = verdict;
  const word = verdict.ok
    ? colors.green('whole')
    : verdict.intact && !verdict.complete
      ? colors.yellow('INCOMPLETE')
      : colors.red('NOT WHOLE');
  return [
    `${colors.bold(word)}  journal of ${plain(verdict.runId)}, ${head.entries} entries, ends with ${head.hash.slice(0, 16)}`,
    ...verdict.problems.map((text) => `${colors.red('BAD')}  ${plain(text)}`),
    ...verdict.cautions.flatMap((text) => ['', ...wrap(text, width)]),
  ].join('\n');
}
