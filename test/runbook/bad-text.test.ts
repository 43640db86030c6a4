import { type Case, testCases } from './cases.js';

const syntax: readonly Case[] = [
  {
    what: 'a tab as indentation',
    from: '      rto: 6 h',
    to: '\t  rto: 6 h',
    field: 'indentation',
    given: 'a tab in the line of "rto"',
    allowed: /^spaces/,
  },
  {
    what: 'a key that comes twice',
    from: 'tier: 1',
    to: 'tier: 1\ntier: 2',
    field: 'duplicate key',
    given: 'the line of "tier"',
    allowed: 'each key once in its map',
    at: 'tier: 2',
  },
  {
    what: 'uneven indentation',
    from: '    web-interface:',
    to: '   web-interface:',
    field: 'indentation',
    allowed: /^the same number of spaces/,
  },
  {
    what: 'a quote that is not closed',
    from: 'title: Payymo payments ledger',
    to: 'title: "Payymo payments ledger',
    field: 'punctuation',
    allowed: /^every quote and bracket closed/,
  },
  {
    what: 'a second document',
    from: 'objectives:',
    to: '---\nobjectives:',
    at: '---\nobjectives:',
    field: 'the whole file',
    allowed: /^one document a file/,
  },
  {
    what: 'an alias without its anchor',
    from: 'rto: 6 h',
    to: 'rto: *six-hours',
    field: 'alias',
    given: 'the line of "rto"',
    allowed: /only after its anchor/,
  },
  {
    what: 'a tag',
    from: 'rto: 6 h',
    to: 'rto: !duration 6 h',
    field: 'tag',
    allowed: /^plain values/,
  },
  {
    what: 'text with a colon and no quotes',
    from: 'note: From replicated storage.',
    to: 'note: files: from replicated storage',
    field: 'nesting',
    allowed: /in quotes/,
  },
];

testCases(syntax);
