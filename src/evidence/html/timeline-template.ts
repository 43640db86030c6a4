/** Draws one timeline; `it` is a Timeline with an `id` that no other picture of the page has. */
export const timelineTemplate = `<% const s = it.shape; const wide = s.name === 'wide'; %>
<svg class="timeline <%= s.name %>" viewBox="0 0 <%= s.width %> <%= it.height %>" role="img" aria-labelledby="<%= it.id %>-t <%= it.id %>-d">
<title id="<%= it.id %>-t">Timeline of the run, one row a step</title>
<desc id="<%= it.id %>-d"><%= it.alternative %></desc>
<defs><pattern id="<%= it.id %>-p" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="wait-ground" width="6" height="6"/><line class="wait-line" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>
<% for (const tick of it.ticks) { %>
<line class="grid" x1="<%= tick.x %>" x2="<%= tick.x %>" y1="<%= it.rowsTop %>" y2="<%= it.rowsBottom %>"/>
<text class="tick" x="<%= tick.x %>" y="<%= it.rowsBottom + 18 %>" text-anchor="<%= tick.x < 24 + s.chartLeft && !wide ? 'start' : tick.x > s.chartRight - 24 && !wide ? 'end' : 'middle' %>"><%= tick.label %></text>
<% } %>
<line class="axis" x1="<%= s.chartLeft %>" x2="<%= s.chartRight %>" y1="<%= it.rowsBottom %>" y2="<%= it.rowsBottom %>"/>
<% for (const event of it.events) { %>
<line class="event <%= event.kind %>" x1="<%= event.x %>" x2="<%= event.x %>" y1="<%= event.top + 2 %>" y2="<%= it.rowsBottom %>"/>
<text class="event-label <%= event.kind %>" x="<%= event.labelX %>" y="<%= event.top + 13 %>" text-anchor="<%= event.anchor %>"><%= event.label %></text>
<% } %>
<% for (const link of it.links) { %><path class="link" d="<%= link %>"/><% } %>
<% for (const row of it.rows) { %>
<g class="row<%= row.critical ? ' critical' : '' %><%= row.failed ? ' failed' : '' %>" data-step="<%= row.name %>">
<title><%= row.told %></title>
<% if (wide) { %>
<text class="name" x="<%= s.chartLeft - 12 %>" y="<%= row.middle + 4 %>" text-anchor="end"><%= row.label %></text>
<text class="figure<%= row.overBudget ? ' over' : '' %>" x="<%= s.chartRight + 12 %>" y="<%= row.middle + 4 %>"><%= row.figure %></text>
<% } else { %>
<text class="name" x="<%= s.chartLeft %>" y="<%= row.top + 15 %>"><%= row.label %></text>
<text class="figure<%= row.overBudget ? ' over' : '' %>" x="<%= s.chartRight %>" y="<%= row.top + 15 %>" text-anchor="end"><%= row.figure %></text>
<% } %>
<% if (row.bar) { %>
<rect class="bar" x="<%= row.bar.x %>" y="<%= row.bar.y %>" width="<%= row.bar.width %>" height="<%= row.bar.height %>" rx="2"/>
<% if (row.working) { %><rect class="working" x="<%= row.working.x %>" y="<%= row.working.y %>" width="<%= row.working.width %>" height="<%= row.working.height %>" rx="2"/><% } %>
<% if (row.waiting) { %><rect class="waiting" fill="url(#<%= it.id %>-p)" x="<%= row.waiting.x %>" y="<%= row.waiting.y %>" width="<%= row.waiting.width %>" height="<%= row.waiting.height %>" rx="2"/><% } %>
<% if (row.budgetX > row.bar.x + row.bar.width) { %><line class="room" x1="<%= row.bar.x + row.bar.width %>" x2="<%= row.budgetX %>" y1="<%= row.middle %>" y2="<%= row.middle %>"/><% } %>
<% if (row.budgetX !== undefined) { %><line class="budget<%= row.overBudget ? ' over' : '' %>" x1="<%= row.budgetX %>" x2="<%= row.budgetX %>" y1="<%= row.middle - 6 %>" y2="<%= row.middle + 6 %>"/><% } %>
<% } else { %>
<text class="note" x="<%= s.chartLeft + 4 %>" y="<%= row.middle + 4 %>"><%= row.note %></text>
<% } %>
<% for (const mark of row.marks) { %>
<% if (mark.kind === 'failed') { %>
<path class="mark failed" d="M<%= mark.x - 4 %> <%= row.middle - 4 %>l8 8m0 -8l-8 8"/>
<% } else { %>
<path class="mark <%= mark.kind %>" d="M<%= mark.x %> <%= row.middle - 7 %>l7 7l-7 7l-7 -7z"/>
<% } } %>
</g>
<% } %>
</svg>`;
