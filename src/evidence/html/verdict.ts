/** What the report says first, in words. */
import { formatDuration } from '../../model/format.js';
import type { ReportDocument } from '../document.js';

export interface Verdict {
  readonly good: boolean;
  readonly headline: string;
  readonly sentence: string;
}

export function verdictOf(report: ReportDocument): Verdict {
  const rto = report.rto[0];
  const missedData = report.rpo.filter(({ met, actualMs }) => !met && actualMs !== undefined);
  const late = report.rto.some(({ met }) => !met);
  const missed = [...(late ? ['RTO'] : []), ...(missedData.length > 0 ? ['RPO'] : [])].join(' and ');
  const ended = { recovered: 'Recovered', aborted: 'Aborted', failed: 'Failed' }[report.status as string];
  const good = report.status === 'recovered' && missed === '';
  return {
    good,
    headline:
      report.status === 'recovered' && missed !== ''
        ? `Recovered, ${missed} missed`
        : (ended ?? 'Not finished'),
    sentence: [
      timeSentence(report, rto),
      dataSentence(
        report,
        missedData.map(({ dataClass }) => dataClass),
      ),
    ]
      .filter((part) => part !== '')
      .join(' '),
  };
}

function timeSentence(report: ReportDocument, rto: ReportDocument['rto'][number] | undefined): string {
  if (rto?.actualMs === undefined) return 'The service was not brought back by this run.';
  const back = `The service was back ${formatDuration(rto.actualMs)} after detection`;
  const others = report.rto.filter(({ of, met, name }) => of === 'component' && !met && name !== rto.name);
  if (!rto.met)
    return `${back}: the RTO of ${formatDuration(rto.targetMs)} was missed by ${formatDuration(rto.actualMs - rto.targetMs)}.`;
  if (others.length > 0) {
    return `${back}, within the RTO of ${formatDuration(rto.targetMs)}; missed for ${others.map(({ name }) => name).join(', ')}.`;
  }
  return `${back}, within the RTO of ${formatDuration(rto.targetMs)}.`;
}

function dataSentence(report: ReportDocument, missed: readonly string[]): string {
  if (report.rpo.length === 0) return report.status === 'recovered' ? 'No loss of data was measured.' : '';
  const unknown = report.rpo
    .filter(({ actualMs }) => actualMs === undefined)
    .map(({ dataClass }) => dataClass);
  const said = missed.length > 0 ? `The RPO was missed for ${missed.join(', ')}.` : withinObjectives(report);
  return unknown.length === 0 ? said : `${said} What ${unknown.join(', ')} lost is not known.`.trim();
}

function withinObjectives(report: ReportDocument): string {
  const measured = report.rpo.filter(({ actualMs }) => actualMs !== undefined);
  const everything = measured.length === report.rpo.length;
  if (measured.some(({ lostRecords = 0 }) => lostRecords > 0)) {
    const listed = report.lost.every(({ complete }) => complete) ? ', and listed' : '';
    return `What was lost is within the RPO${everything ? ' of every data class' : ''}${listed}.`;
  }
  return everything ? 'No data was lost.' : '';
}
