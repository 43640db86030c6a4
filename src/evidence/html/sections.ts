/** What follows the first page. */
export const sectionsTemplate = `
<section class="landscape">
<h2>Timeline</h2>
<p>Every step of the plan, as it happened. Times are UTC.</p>
<div class="legend"><span>working, decided the time</span><span class="other">working, beside it</span><span class="people">waiting for people</span><span class="budget">budget</span><span class="gate">decision</span><% if (it.anyFailure) { %><span class="fault">failed</span><% } %></div>
<%~ it.pictures %>
<% if (it.waitedInWork) { %><p class="soft small">The amber part of a bar tells how long people were awaited, not when: the diamonds tell when they decided.</p><% } %>
</section>
<section>
<h2>Verification</h2>
<% if (it.verification.length === 0) { %><p>No check was passed in this run.</p><% } %>
<% for (const group of it.verification) { %>
<h3 class="group"><%= group.title %></h3>
<table class="inline">
<thead><tr><th>Rung</th><th>Check</th><th>Result</th><th>Tool</th><th class="num">Took</th></tr></thead>
<tbody><% for (const row of group.checks) { %><tr><td class="rung"><span class="narrow-only">rung </span><%= row.rung %></td><td class="head"><span class="value"><span class="strong"><%= row.title %></span><br><span class="soft small"><%= row.detail %></span></span></td><td><span class="<%= row.passed ? 'kept' : 'missed' %>"><%= row.passed ? 'passed' : 'FAILED' %></span></td><td class="tool"><%= row.tool %> <span class="soft"><%= row.version %></span></td><td class="num"><%= row.took %></td></tr><% } %></tbody>
</table><% } %>
</section>
<section>
<h2>Command</h2>
<dl class="saw"><% for (const fact of it.command) { %><dt><%= fact.label %></dt><dd><%= fact.value %></dd><% } %></dl>
</section>
<section>
<h2>Decisions and what was seen</h2>
<% if (it.decisions.length === 0) { %><p>Nobody was asked in this run.</p><% } %>
<% for (const each of it.decisions) { %><div class="decision">
<p><span class="<%= each.tone %>"><%= each.word %></span> <span class="strong"><%= each.title %></span> <span class="soft">(<%= each.on %>)</span></p>
<p><%= each.by %><% if (each.roles) { %> <span class="soft">for <%= each.roles %></span><% } %>, <%= each.moment %>, <span class="soft">by <%= each.channel %><% if (each.proof) { %>, <%= each.proof %><% } %><% if (each.from) { %>, from <%= each.from %><% } %></span></p>
<% if (each.to) { %><p>To: <%= each.to %></p><% } %>
<% if (each.changed) { %><p>Changed: <%= each.changed %></p><% } %>
<% if (each.reason) { %><p>Reason: <%= each.reason %></p><% } %>
<% if (each.saw.length > 0) { %><dl class="saw"><% for (const fact of each.saw) { %><dt><%= fact.label %></dt><dd><%= fact.value %></dd><% } %></dl><% } %>
</div><% } %>
</section>
<% if (it.lost.length > 0) { %><section>
<h2>Lost records</h2>
<p>What had been written and is not in the recovered state.</p>
<% for (const each of it.lost) { if (each.listed.length === 0) { %><p class="strong group"><%= each.dataClass %>: <%= each.records %></p><p class="soft small"><%= each.said %></p><% continue; } %><details<%= each.open ? ' open' : '' %>><summary><%= each.dataClass %>: <%= each.records %></summary>
<% if (each.said) { %><p class="soft small"><%= each.said %></p><% } %>
<ul class="ids mono"><% for (const record of each.listed) { %><li><%= record.id %><% if (record.time) { %><time><%= record.time %></time><% } %></li><% } %></ul>
</details><% } %>
</section><% } %>
<section>
<h2>Deviations from the plan</h2>
<% if (it.deviations.length === 0) { %><p>None: every step was done once, within its budget.</p><% } else { %>
<table>
<thead><tr><th>When</th><th>Step</th><th>What</th></tr></thead>
<tbody><% for (const row of it.deviations) { %><tr><td class="nowrap" data-label="When"><%= row.time %></td><td data-label="Step"><span class="value"><%= row.step %></span></td><td data-label="What"><span class="value"><span class="strong"><%= row.kind %></span> <%= row.text %></span></td></tr><% } %></tbody>
</table><% } %>
</section>
<section>
<h2>Steps</h2>
<table class="steps">
<thead><tr><th>Step</th><th>Began</th><th class="num">Worked</th><th class="num">Waited</th><th class="num">Budget</th><th>Outcome</th></tr></thead>
<tbody><% for (const row of it.steps) { %><tr><td class="head"><span class="strong"><%= row.name %></span><% if (row.critical) { %><span class="soft small block">decided the time</span><% } %></td><td class="nowrap" data-label="Began"><%= row.began %></td><td class="num" data-label="Worked"><%= row.worked %></td><td class="num" data-label="Waited"><%= row.waited %></td><td class="num" data-label="Budget"><span class="<%= row.over ? 'missed' : '' %>"><%= row.budget %></span></td><td data-label="Outcome"><span class="value"><% if (row.status) { %><span class="<%= row.tone %>"><%= row.status %></span> <% } %><%= row.outcome %></span></td></tr><% } %></tbody>
</table>
</section>
<div class="pair">
<section>
<h2>Findings</h2>
<% if (it.report.findings.length === 0) { %><p>None.</p><% } %>
<ul class="plainlist"><% for (const task of it.report.findings) { %><li><%= task.text %><span class="owner"><%= task.owner %></span></li><% } %></ul>
</section>
<section>
<h2>Next steps</h2>
<ul class="plainlist"><% for (const task of it.report.nextSteps) { %><li><%= task.text %><span class="owner"><%= task.owner %></span></li><% } %></ul>
</section>
</div>
<section>
<h2>Scope and participants</h2>
<dl class="saw">
<% for (const fact of it.scope) { %><dt><%= fact.label %></dt><dd><%= fact.value %></dd><% } %>
</dl>
<h3 class="group">Sign-off</h3>
<div class="sign"><% for (const role of it.report.signOff) { %><div><%= role %>: name, date, signature</div><% } %></div>
</section>
<section>
<h2>How to check this report</h2>
<p>This page and <code>report.json</code> are each signed with Ed25519. The JSON holds everything that is shown here, complete.</p>
<dl class="saw">
<dt>report.json, SHA-256</dt><dd class="mono digest"><%= it.sha256 %></dd>
<dt>Public key, SHA-256</dt><dd class="mono digest"><%= it.report.signing.publicKeySha256 %></dd>
<dt>Plan, SHA-256</dt><dd class="mono digest"><%= it.report.plan.sha256 %></dd>
<% if (it.report.journal) { %><dt>Journal</dt><dd class="mono digest"><%= it.report.journal.entries %> entries, ends with <%= it.report.journal.hash %></dd><% } else { %><dt>Journal</dt><dd>not at hand when this report was written</dd><% } %>
</dl>
<pre class="mono">muster report verify . --key KEY.pem

openssl pkeyutl -verify -pubin -inkey KEY.pem -rawin -in report.json -sigfile report.json.sig
openssl pkeyutl -verify -pubin -inkey KEY.pem -rawin -in report.html -sigfile report.html.sig
sha256sum report.json
openssl pkey -pubin -in KEY.pem -outform DER | sha256sum</pre>
<p class="soft small group">KEY.pem is the public key as you have it from elsewhere. The copy that lies beside this report (report.pub.pem) proves only that nothing was changed since it was signed, not who signed.</p>
</section>`;
