/** A notice as plain text, for mail and wherever nothing richer is shown. */
import type { Notice } from '../../src/model/notice.js';

/** One line without control characters: what comes from outside must not make a second header or line. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

/** `[payymo] DRILL: point waits for database-lead.`; the title alone for people outside. */
export function subjectOf(notice: Notice): string {
  if (notice.kind === 'update') return oneLine(notice.title);
  const drill = notice.mode === 'drill' && notice.kind !== 'test' ? 'DRILL: ' : '';
  return oneLine(`[${notice.system}] ${drill}${notice.title}`);
}

/** Text, facts, and the commands that can be given now, in this order. */
export function plainText(notice: Notice): string {
  const width = Math.max(0, ...notice.facts.map(({ label }) => label.length));
  const blocks = [
    notice.text,
    notice.facts.map(({ label, value }) => `${label.padEnd(width)}  ${value}`).join('\n'),
    notice.actions.map(({ label, value }) => `${label}\n    ${value}`).join('\n'),
    // People outside have no use for the names of runs.
    notice.kind === 'update'
      ? ''
      : `${notice.systemTitle}, ${notice.scenario} (${notice.mode}), run ${notice.runId}, ${notice.at}`,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}
