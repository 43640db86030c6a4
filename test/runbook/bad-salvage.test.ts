/** Where dumps are all there is, salvage must know whose quarantine it looks into. */
import { readFileSync } from 'node:fs';
import { readRunbook } from '../../src/runbook/load.js';

const text = readFileSync('runbooks/accubooks.yaml', 'utf8');
const damaged = '    backup: daily\n    damaged: west\n    at: [recovery, east]\n';

function problemsWith(to: string): unknown {
  expect(text).toContain(damaged);
  try {
    readRunbook('accubooks.yaml', text.replace(damaged, to));
  } catch (error) {
    return (error as { problems?: unknown }).problems;
  }
  return [];
}

test.each([
  [
    'no site named',
    '    backup: daily\n    at: [recovery, east]\n',
    {
      field: 'scenarios.salvage.damaged',
      allowed: expect.stringMatching(/^the site whose quarantine holds what was written last: daily/),
    },
  ],
  [
    'a site that is not there',
    damaged.replace('west', 'north'),
    {
      field: 'scenarios.salvage.damaged',
      given: '"north"',
      allowed: expect.stringContaining('a site of sites'),
    },
  ],
])('%s is refused', (_what, to, problem) => {
  expect(problemsWith(to)).toEqual([expect.objectContaining(problem)]);
});

test('as its owner wrote it nothing is wrong', () => {
  expect(problemsWith(damaged)).toEqual([]);
});
