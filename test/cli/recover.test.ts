/** What keeps a recovery from being begun: bad input is answered, and nothing is started. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePorts } from '../../lab/ports.js';
import { isHere, preflight, requireConfined } from '../../src/cli/preflight.js';
import { renderRecoveryHead } from '../../src/cli/render/recover.js';
import { loadRunbook } from '../../src/runbook/load.js';
import { corruptionScenario } from '../../workflows/corruption.js';
import { budgetPath } from '../../workflows/engine/critical-path.js';
import { payymoPlan } from '../support/payymo-plan.js';
import { sharedTemporal } from '../support/temporal.js';
import { runMuster } from './run-muster.js';

const runbooks = resolve(__dirname, '../../runbooks');
const env = { TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml', MUSTER_RUNBOOKS: runbooks };
const recover = (args: readonly string[], more: Record<string, string> = {}) =>
  runMuster(['recover', ...args], { env: { ...env, ...more } });

test.each([
  ['an unknown system', ['corruption', 'paymo', '--before', '1 min ago'], 'payymo, perhaps'],
  ['an unknown scenario', ['corrupton', 'payymo', '--before', '1 min ago'], 'corruption, perhaps'],
  ['a moment that is none', ['corruption', 'payymo', '--before', 'yesterday'], 'given:   yesterday'],
  ['a moment to come', ['corruption', 'payymo', '--before', '2999-01-01T00:00:00Z'], 'a moment of the past'],
  [
    'damage noticed before the good moment',
    ['corruption', 'payymo', '--before', '1 min ago', '--detected-at', '5 min ago'],
    'not after --detected-at',
  ],
  [
    'a mode that is none',
    ['corruption', 'payymo', '--before', '1 min ago', '--mode', 'test'],
    'real or drill',
  ],
  [
    'a drill that would reach production',
    ['corruption', 'payymo', '--before', '1 min ago', '--mode', 'drill'],
    'fence-primary',
  ],
])('%s', async (_what, args, said) => {
  // The server is named, so that not reaching it would be another error.
  const { code, stderr, stdout } = await recover(args, { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(code).toBe(2);
  expect(stderr).toContain(said);
  expect(stdout).toBe('');
});

test('a malformed runbook is told by file, line and field', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-runbooks-'));
  await writeFile(join(folder, 'payymo.yaml'), 'system: payymo\ntitle: Payymo\ntier: eleven\n');
  const { code, stderr } = await recover(['corruption', 'payymo', '--before', '1 min ago'], {
    MUSTER_RUNBOOKS: folder,
  });
  await rm(folder, { recursive: true });
  expect(code).toBe(2);
  expect(stderr).toMatch(/payymo\.yaml:3:\d+ +tier/);
});

test('a Temporal server that is not there is told at once, with its address', async () => {
  const { port } = await freePorts({ port: { addresses: ['127.0.0.1'] } });
  const begun = Date.now();
  const { code, stderr } = await recover(['corruption', 'payymo', '--before', '1 min ago'], {
    TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
  });
  expect(Date.now() - begun).toBeLessThan(6_000);
  expect(code).toBe(2);
  expect(stderr).toContain(
    `127.0.0.1:${port} does not answer. Nothing has been started. (TemporalUnreachable)`,
  );
});

test('a server without a worker is told, with how to start one', async () => {
  const { address } = await sharedTemporal();
  const { code, stdout } = await recover(
    ['corruption', 'payymo', '--before', '1 min ago', '--json', '--yes'],
    {
      TEMPORAL_ADDRESS: address,
    },
  );
  expect(code).toBe(2);
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'NoWorker',
    next: expect.stringContaining('worker'),
  });
});

test('a worker elsewhere is trusted to look itself; one here has its tools and backups looked at', async () => {
  expect(isHere(['muster@elsewhere:12', '77@nowhere'])).toBe(false);
  const { runbook } = await loadRunbook(join(runbooks, 'payymo.yaml'));
  const plan = corruptionScenario.buildPlan(runbook).document;
  const subject = { runbook, plan, params: { before: '2026-01-01T00:00:00.000Z' }, workerIsHere: false };
  expect(await preflight(subject)).toEqual([expect.stringContaining('another machine')]);
  // The configuration that this runbook names is not on this machine: what an activity would say becomes a refusal.
  await expect(preflight({ ...subject, workerIsHere: true })).rejects.toMatchObject({
    name: 'RefusedError',
    message: expect.stringContaining('Nothing has been started.'),
    next: expect.stringContaining('--no-preflight'),
  });
});

test('only a plan without effect on production may be drilled', () => {
  expect(() => requireConfined('drill', payymoPlan)).toThrow(/cannot be drilled/);
  expect(() => requireConfined('real', payymoPlan)).not.toThrow();
  const confined = {
    ...payymoPlan,
    steps: payymoPlan.steps.map((step) => ({ ...step, effect: 'sandbox' as const })),
  };
  expect(() => requireConfined('drill', confined)).not.toThrow();
});

test('what a recovery will do is said before it is begun', async () => {
  const path = budgetPath(payymoPlan);
  const lines = renderRecoveryHead(
    {
      plan: payymoPlan,
      hash: 'a3f5c2d94be0178866f1',
      mode: 'real',
      before: '2026-11-21T02:59:39.871Z',
      detectedAt: '2026-11-21T03:02:11.000Z',
      requestedBy: 'on-call',
      temporal: '127.0.0.1:7233',
      path: path.steps,
      budgetMs: path.totalMs,
      expectations: { restore: { medianMs: 1, p90Ms: 2, runs: 3 } },
      remarks: ['No times of past runs: the store does not answer.'],
    },
    { width: 80, color: false, now: Date.parse('2026-11-21T03:04:00Z') },
  );
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  const text = lines.join('\n');
  expect(text).toContain('payymo  corruption  REAL');
  expect(text).toMatch(/back to before +02:59:39\.871 UTC/);
  expect(text).toMatch(/detected +03:02:11 UTC, 1:49 ago/);
  expect(text).toMatch(/RTO +database 6 h, until 09:02:11 UTC/);
  expect(text).toMatch(/asks +database-lead at the gate point/);
  expect(text).toMatch(/no way back +after promote/);
  expect(text).toMatch(/note +No times of past runs/);
});
