/** The screen of several systems: a line each, in 80 columns, with who is awaited and how it is answered. */
import { changesTogether, renderTogether } from '../../src/cli/render/together.js';
import type { RecoverAllView, SystemStanding } from '../../src/model/recover-all.js';

const NOW = Date.parse('2026-03-01T03:24:47Z');
const standing = (system: string, tier: number, change: Partial<SystemStanding>): SystemStanding => ({
  ...{ system, title: system, tier, dependsOn: [], runId: `${system}-run`, workflowId: `${system}.real` },
  ...{ state: 'pending', component: 'database', targetMs: 4 * 3_600_000, works: [], waits: [], held: false },
  detectedAt: '2026-03-01T03:03:40Z',
  ...change,
});
const waits = { on: 'promote', failed: false, whom: 'database-lead', since: '2026-03-01T03:23:30Z' };

const VIEW: RecoverAllView = {
  ...{ id: 'all-1', scenario: 'regionalLoss', mode: 'real', requestedBy: 'on-call', atOnce: 2 },
  ...{ startedAt: '2026-03-01T03:03:40Z', asOf: '2026-03-01T03:24:47Z', calledOff: false },
  systems: [
    standing('payymo', 1, { state: 'waiting', waits: [waits], targetMs: 6 * 3_600_000 }),
    standing('spendsync', 2, { state: 'running', works: ['restore'], held: true }),
    standing('moneyflow', 2, { state: 'recovered', backAfterMs: 891_000, targetMs: 1_800_000 }),
    standing('accubooks', 3, { state: 'waiting', waits: [{ ...waits, on: 'restore', failed: true }] }),
    standing('practice-hub', 3, { because: 'waits for room: 2 at once', targetMs: 600_000 }),
  ],
};

it('shows each system in a line', () => {
  const lines = renderTogether(VIEW, { width: 80, color: false, now: NOW });
  expect(lines.join('\n')).toBe(
    `5 systems  regionalLoss  real  begun 03:03:40 UTC by on-call
1 OF 5 RECOVERED  2 work at once

 payymo        1 WAITS      21:07 of 6 h       promote: database-lead, for 1:17
 spendsync     2 works      21:07 of 4 h       HELD; restore
 moneyflow     2 recovered  14:51 of 30 min
 accubooks     3 WAITS      21:07 of 4 h       restore FAILED, for 1:17
 practice-hub  3 next       21:07 of 10 min    waits for room: 2 at once

NOW POSSIBLE
   muster approve --all promote --by NAME   1 waits at it
   muster decide payymo
   muster decide accubooks`,
  );
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

it('says when all are recovered, and when nothing more is begun', () => {
  const over = VIEW.systems.map((one) => ({ ...one, state: 'recovered' as const, waits: [], works: [] }));
  const size = { width: 80, color: false, now: NOW };
  expect(renderTogether({ ...VIEW, systems: over, endedAt: VIEW.asOf }, size)[1]).toContain('ALL RECOVERED');
  expect(renderTogether({ ...VIEW, calledOff: true }, size)[1]).toContain('called off');
});

it('writes a line a change into a log', () => {
  const [payymo, ...others] = VIEW.systems as [SystemStanding, ...SystemStanding[]];
  const after = {
    ...VIEW,
    systems: [{ ...payymo, state: 'running' as const, waits: [], works: ['promote'] }, ...others],
  };
  expect(changesTogether(undefined, VIEW)).toHaveLength(5);
  expect(changesTogether(VIEW, VIEW)).toEqual([]);
  expect(changesTogether(VIEW, after)).toEqual(['03:24:47 UTC  payymo  running: promote']);
});
