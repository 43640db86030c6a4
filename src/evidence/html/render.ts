/** The report as one self-contained page: no network, no script. */
import { Eta } from 'eta';
import type { ReportDocument } from '../document.js';
import { firstPageTemplate } from './first-page.js';
import { pageFacts } from './page-facts.js';
import { sectionsTemplate } from './sections.js';
import { style } from './style.js';
import { layTimeline, NARROW, WIDE } from './timeline.js';
import { timelineTemplate } from './timeline-template.js';

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="muster-report-sha256" content="<%= it.sha256 %>">
<title><%= it.report.systemTitle %>: <%= it.report.scenario %>, <%= it.verdict.headline.toLowerCase() %> (<%= it.report.id %>)</title>
<style><%~ it.style %></style>
</head>
<body>
<main>
<%~ include('@first', it) %>
<%~ include('@sections', it) %>
</main>
</body>
</html>
`;

// biome-ignore lint/suspicious/noControlCharactersInRegex: They are what is taken out.
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const eta = new Eta({
  autoEscape: true,
  autoFilter: true,
  // Characters that are not seen, among them those that turn the reading direction: no text from outside may rewrite another.
  filterFunction: (value) => String(value ?? '').replace(UNSEEN, '\uFFFD'),
});
eta.loadTemplate('@page', page);
eta.loadTemplate('@first', firstPageTemplate);
eta.loadTemplate('@sections', sectionsTemplate);
eta.loadTemplate('@timeline', timelineTemplate);

/** @param sha256 of the report's JSON, as it is written */
export function renderHtml(report: ReportDocument, sha256: string): string {
  const pictures = [WIDE, NARROW]
    .map((shape) => eta.render('@timeline', { ...layTimeline(report, shape), id: `timeline-${shape.name}` }))
    .join('\n');
  return eta.render('@page', { ...pageFacts(report), report, sha256, style, pictures });
}
