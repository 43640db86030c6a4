/** What `muster check` says about runbooks, one problem a block. */
import type { InputProblem } from '../../errors.js';
import type { Finding } from '../../runbook/findings.js';
import type { Colors } from '../output.js';
import { renderProblem } from './error.js';
import { wrapText } from './wrap-text.js';

export interface CheckedFile {
  readonly file: string;
  readonly system: string;
  /** Absent where the file could not be read as far as that. */
  readonly title?: string;
  readonly problems: readonly InputProblem[];
  readonly findings: readonly Finding[];
}

export function renderChecks(files: readonly CheckedFile[], colors: Colors, width: number): string {
  const blocks = files.flatMap((file) => [
    headline(file, colors),
    ...file.problems.map((problem) => renderProblem(problem, colors, width)),
    ...file.findings.map((finding) => renderFinding(finding, colors, width)),
  ]);
  return blocks.join('\n\n');
}

function headline({ file, title, problems, findings }: CheckedFile, colors: Colors): string {
  const verdict =
    problems.length > 0
      ? colors.bold(colors.red(`cannot be used, ${count(problems.length, 'error')}`))
      : colors.green('can be used');
  const remarks = findings.length === 0 ? '' : `, ${count(findings.length, 'finding')}`;
  return `${colors.bold(file)}  ${title === undefined ? '' : `${title}: `}${verdict}${remarks}`;
}

function renderFinding(finding: Finding, colors: Colors, width: number): string {
  const { file, line, column, severity, field, what, proposal } = finding;
  const mark = severity === 'warning' ? colors.yellow(severity) : severity;
  const indented = (text: string) => wrapText(text, width - 2).map((each) => `  ${each}`);
  return [
    `${colors.cyan(`${file}:${line}:${column}`)}  ${mark}  ${colors.bold(field)}`,
    ...indented(what),
    ...indented(`proposal: ${proposal}`),
  ].join('\n');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
