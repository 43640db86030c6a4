import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { runMuster } from './run-muster.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-plan-'));
  await cp('runbooks/payymo.yaml', join(folder, 'payymo.yaml'));
});
afterEach(() => rm(folder, { recursive: true }));

const plan = (...more: string[]) =>
  runMuster(['plan', 'corruption', 'payymo', '--runbooks', folder, ...more]);

async function setBudgets(budgets: string): Promise<void> {
  const file = join(folder, 'payymo.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('budgets: {}', `budgets: { ${budgets} }`));
}

test('the plan for people: 80 columns, steps, gates, critical path, every RTO', async () => {
  const { code, stdout, stderr } = await plan();
  expect([code, stderr]).toEqual([0, '']);
  for (const line of stdout.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(80);
  expect(stdout).toMatch(/^ {3}gate-point .* people {3}gate$/m);
  expect(stdout.replace(/\s+/g, ' ')).toContain(
    'decided by database-lead; after 10 min incident-commander may decide as well',
  );
  expect(stdout).toMatch(/^ \* restore .* 12:00 {3}30 min {3}its own copy$/m);
  expect(stdout).toMatch(/^ {3}verify-repository /m);
  expect(stdout).toMatch(/^database {2}back after 2 h 7 min at the latest, RTO 6 h: 3 h 53 min to spare$/m);
  expect(stdout).toMatch(/^core-api {2}back after 2 h 7 min at the latest, RTO 4 h: 1 h 53 min to spare$/m);
  expect(stdout).toContain('With every gate open until it expires: 2 h 17 min.');
  expect(stdout).toMatch(/\* critical path: propose-point, provision-target, restore/);
  expect(stdout).toContain('point of no return');
});

test('the plan for scripts: the document, its hash, the critical path', async () => {
  const { code, stdout } = await plan('--json');
  const { plan: document, planHash, criticalPath, components, error } = JSON.parse(stdout);
  expect([code, error]).toEqual([0, undefined]);
  expect(document).toMatchObject({ scenario: 'corruption', system: 'payymo', serviceRestoredBy: 'validate' });
  expect(planHash).toMatch(/^[0-9a-f]{64}$/);
  expect(criticalPath.totalMs).toBe(127 * 60_000);
  expect(criticalPath.steps[0]).toBe('propose-point');
  expect(criticalPath.steps.at(-1)).toBe('validate');
  expect(components.map((each: { component: string; fits: boolean }) => [each.component, each.fits])).toEqual(
    [
      ['database', true],
      ['core-api', true],
    ],
  );
});

test('the same runbook gives the same hash, a changed budget another one', async () => {
  const hash = async () => JSON.parse((await plan('--json')).stdout).planHash;
  const before = await hash();
  expect(await hash()).toBe(before);
  await setBudgets('restore: 29 min');
  expect(await hash()).not.toBe(before);
});

test('budgets that cannot hold an RTO: the plan is shown, the error says what is too long, exit code 2', async () => {
  await setBudgets('restore: 3 h');
  const { code, stdout, stderr } = await plan();
  expect(code).toBe(2);
  expect(stdout).toContain('core-api  back after 4 h 37 min at the latest, RTO 4 h: 37 min too long');
  expect(stdout).toContain('database  back after 4 h 37 min at the latest, RTO 6 h: 1 h 23 min to spare');
  expect(stderr).toContain('scenarios.corruption.budgets');
  expect(stderr).toContain('most of it restore with 3 h');
  const json = await plan('--json');
  expect(json.code).toBe(2);
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'BadInput' }, plan: { system: 'payymo' } });
});

test('an unknown scenario and an unknown system are bad input with a suggestion', async () => {
  const scenario = await runMuster(['plan', 'coruption', 'payymo', '--runbooks', folder]);
  expect(scenario.code).toBe(2);
  expect(scenario.stderr).toContain('corruption, perhaps');
  const inherited = await runMuster(['plan', 'toString', 'payymo', '--runbooks', folder]);
  expect(inherited.code).toBe(2);
  expect(inherited.stderr).toContain('There is no scenario "toString".');
  const system = await runMuster(['plan', 'corruption', 'paymo', '--runbooks', folder]);
  expect(system.code).toBe(2);
  expect(system.stderr).toContain('payymo, perhaps');
});

test('a scenario that the runbook has no section for', async () => {
  const file = join(folder, 'payymo.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/^scenarios:\n[\s\S]*?(?=\n# What the owner)/m, 'scenarios: {}\n'));
  const { code, stderr } = await plan();
  expect(code).toBe(2);
  expect(stderr).toContain('says nothing about the scenario corruption');
  expect(stderr).toContain('allowed: a section scenarios.corruption');
});

describe('the runbook to print', () => {
  test('holds every step in order with its number, its commands and room for who and when', async () => {
    const document = JSON.parse((await plan('--json')).stdout).plan;
    const { code, stdout } = await plan('--markdown');
    expect(code).toBe(0);
    const sections = stdout.split(/^## (?=\d+\. )/m).slice(1);
    expect(sections).toHaveLength(document.steps.length);
    document.steps.forEach(
      (step: { title: string; commands: { command: string }[]; kind: string }, index: number) => {
        const section = sections[index] as string;
        expect(section.startsWith(`${index + 1}. ${step.title}\n`)).toBe(true);
        for (const { command } of step.commands) expect(section).toContain(`\`\`\`sh\n${command}\n\`\`\``);
        expect(section).toMatch(step.kind === 'gate' ? /☐ yes ☐ no, decided at/ : /☐ begun at .* by/);
      },
    );
  });

  test('has the real places of the runbook, the roster, where secrets are kept, and no secret', async () => {
    const { stdout } = await plan('--markdown');
    expect(stdout).toContain('ledger-db-west.payymo.internal:5432');
    expect(stdout).toContain('| database-lead | database-lead | mailto:database-lead@payymo.internal');
    expect(stdout).toContain('`file:/etc/muster/secrets/ledger-admin-password`');
    expect(stdout).toContain('S3 us-east-1, prefix postgresql/, the off-site copy');
  });

  test('asks the gates as questions, marks the point of no return and says how to turn back before it', async () => {
    const { stdout } = await plan('--markdown');
    expect(stdout).toContain(
      '**Stop and ask** somebody with the role **database-lead**, after 1 (assess), 2 (propose-point).',
    );
    expect(stdout).toContain(
      '- no answer after 10 min: ask somebody with the role **incident-commander** as well',
    );
    expect(stdout).toContain('☐ yes, but instead of what 2 (propose-point) proposed');
    const promote = stdout.slice(stdout.indexOf('## 18.'), stdout.indexOf('## 19.'));
    expect(promote).toContain('**POINT OF NO RETURN.');
    const back = stdout.slice(stdout.indexOf('## Turning back'));
    expect(back).toContain('**Only before 18 (promote) has begun.');
    expect([...back.matchAll(/^- ☐ (\d+)/gm)].map(([, number]) => Number(number))).toEqual([16, 15, 14, 5]);
  });
});
