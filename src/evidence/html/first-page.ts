/** What a reader needs who reads one page: verdict, clock, data, decisions. */
export const firstPageTemplate = `
<header class="masthead"><span><strong>Muster</strong> recovery report</span><span class="mono"><%= it.report.id %></span></header>
<div class="verdict<%= it.verdict.good ? '' : ' bad' %>">
<p class="label"><%= it.report.systemTitle %> · <%= it.report.scenario %> · <% if (it.report.mode === 'drill') { %><span class="mode">drill</span><% } else { %>real incident<% } %></p>
<h1><%= it.verdict.headline %></h1>
<p><%= it.verdict.sentence %></p>
<% if (it.report.outcome) { %><p class="outcome"><%= it.report.outcome %></p><% } %>
</div>
<% if (it.exceptions.length > 0) { %><section class="loud">
<h2>Out of the ordinary</h2>
<ul class="plainlist"><% for (const each of it.exceptions) { %><li><span class="<%= each.tone %>"><%= each.word %></span> <span class="strong"><%= each.on %></span> <span class="soft"><%= each.time %></span><span class="block"><%= each.text %></span></li><% } %></ul>
</section><% } %>
<dl class="facts">
<% for (const fact of it.facts) { %><div><dt class="label"><%= fact.label %></dt><dd><%= fact.value %><% if (fact.detail) { %><small><%= fact.detail %></small><% } %></dd></div><% } %>
</dl>
<section>
<h2>Recovery time</h2>
<div class="gauge">
<div class="amount<%= it.clock.met ? '' : ' missed' %>"><%= it.clock.measured ?? 'Not back' %> <small>of <%= it.clock.target %> for <%= it.clock.name %></small></div>
<span class="meter" role="img" aria-label="<%= it.clock.told %>"><% for (const part of it.clock.parts) { %><i class="<%= part.kind %>" style="width:<%= part.percent %>%"></i><% } %><% if (it.clock.targetPercent !== undefined) { %><b style="left:<%= it.clock.targetPercent %>%"></b><% } %></span>
<div class="scale"><span>detected <%= it.clock.from %></span><span><%= it.clock.until %></span></div>
<div class="legend"><% for (const part of it.clock.parts) { %><span class="<%= part.kind %>"><%= part.label %> <%= part.amount %></span><% } %></div>
</div>
<table class="measures">
<thead><tr><th>Component</th><th class="num">Target</th><th class="num">Measured</th><th class="level">Of the target</th><th>RTO</th></tr></thead>
<tbody><% for (const row of it.components) { %><tr><td class="head strong"><%= row.name %></td><td class="num" data-label="Target"><%= row.target %></td><td class="num" data-label="Measured"><%= row.measured ?? 'not back' %></td><td class="level"><span class="meter thin"><% if (row.percent > 0) { %><i class="<%= row.met ? 'kept' : 'missed' %>" style="width:<%= row.percent %>%"></i><% } %></span></td><td class="held"><span class="<%= row.met ? 'kept' : 'missed' %>"><%= row.word %></span></td></tr><% } %></tbody>
</table>
</section>
<section>
<h2>Data</h2>
<% if (it.data.length === 0) { %><p>No loss was measured in this run.</p><% } else { %>
<table class="measures">
<thead><tr><th>Data class</th><th class="num">RPO target</th><th class="num">Measured</th><th class="level">Of the target</th><th>RPO</th><th class="num">Records lost</th></tr></thead>
<tbody><% for (const row of it.data) { %><tr><td class="head strong"><%= row.name %></td><td class="num" data-label="RPO target"><%= row.target %></td><td class="num" data-label="Measured"><%= row.measured %></td><td class="level"><span class="meter thin"><% if (row.percent > 0) { %><i class="<%= row.met ? 'kept' : 'missed' %>" style="width:<%= row.percent %>%"></i><% } %></span></td><td class="held"><span class="<%= row.met ? 'kept' : 'missed' %>"><%= row.word %></span></td><td class="num" data-label="Records lost"><%= row.lost %></td></tr><% } %></tbody>
</table><% } %>
</section>
<div class="pair">
<section>
<h2>What was lost</h2>
<% if (it.lost.length === 0) { %><p><%= it.data.length === 0 ? 'Not measured.' : 'Nothing.' %></p><% } %>
<ul class="plainlist"><% for (const each of it.lost) { %><li><span class="strong"><%= each.dataClass %></span> <%= each.records %> <span class="owner"><%= each.from %></span></li><% } %></ul>
</section>
<section>
<h2>Who decided</h2>
<p>Commander<%= it.report.command.handOvers.length > 0 ? ' at the end' : '' %>: <%= it.report.command.commander %></p>
<% if (it.decisions.length === 0) { %><p>Nobody was asked in this run.</p><% } %>
<ul class="plainlist"><% for (const each of it.decisions) { %><li><span class="<%= each.tone %>"><%= each.word %></span> <%= each.on %> <span class="owner"><%= each.by %>, <%= each.time %><% if (each.proof) { %>, <%= each.proof %><% } %></span></li><% } %></ul>
</section>
</div>`;
