/** The words of an update for people outside. */
export const updateTemplate = `<% if (it.exercise) { %>
THIS IS AN EXERCISE. No service is affected.

<% } %>
<%= it.title %>: update of <%= it.said(it.at) %>


<% if (it.state === 'back') { %>
The service is back since <%= it.said(it.backAt) %>. It was disrupted from <%= it.said(it.since) %>.
<% } else { %>
What is affected
  <%= it.affected.join(', ') %>, since <%= it.said(it.since) %>.
<% } %>

<% if (it.doing.length > 0) { %>
<%= it.state === 'back' ? 'What is still being done' : 'What is being done' %>

<% for (const sentence of it.doing) { %>
  <%= sentence %>

<% } %>
<% } %>

<% if (it.expected.kind !== 'none') { %>
When it will be back
<% if (it.expected.kind === 'unknown') { %>
  This cannot be said at the moment.
<% } else if (it.expected.kind === 'estimate') { %>
  We expect it by <%= it.said(it.expected.by) %>. Approvals that are still to be given may add to this.
<% } else { %>
  If all goes as planned, by <%= it.said(it.expected.by) %> at the latest. It may well be sooner.
<% } %>
<% } %>

<% if (it.nextAt) { %>
Next update
  By <%= it.said(it.nextAt) %>, or as soon as this changes.
<% } %>`;
