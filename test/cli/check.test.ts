import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runMuster } from './run-muster.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-check-'));
  file = join(folder, 'payymo.yaml');
  await cp('runbooks/payymo.yaml', file);
});
afterEach(() => rm(folder, { recursive: true }));

async function change(from: string, to: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  expect(text).toContain(from);
  await writeFile(
    file,
    text.replace(from, () => to),
  );
}

test('a runbook in order: findings, exit code 0', async () => {
  const encrypted = { env: { MUSTER_PAYLOAD_ENCRYPTION: 'on' } };
  const { code, stdout, stderr } = await runMuster(['check', '--runbooks', folder], encrypted);
  expect(code).toBe(0);
  expect(stderr).toBe('');
  expect(stdout).toContain(`${file}  Payymo payments ledger: can be used, 11 findings`);
  expect(stdout).toMatch(
    /payymo\.yaml:\d+:7 {2}warning {2}objectives\.components\.core-api\.rto\n {2}core-api must be/,
  );
});

test('it says when runs would be written in clear', async () => {
  const off = await runMuster(['check', '--runbooks', folder], { env: { MUSTER_PAYLOAD_ENCRYPTION: 'off' } });
  expect(off).toMatchObject({ code: 0, stderr: expect.stringContaining('MUSTER_PAYLOAD_ENCRYPTION=off') });
  const unclear = await runMuster(['check', '--runbooks', folder], {
    env: { MUSTER_PAYLOAD_ENCRYPTION: 'of' },
  });
  expect(unclear.code).toBe(2);
});

test('an error: where, what was given, what is allowed, exit code 2', async () => {
  await change('rto: 6 h', 'rto: 6 hours');
  const { code, stdout } = await runMuster(['check', 'payymo', '--runbooks', folder]);
  expect(code).toBe(2);
  expect(stdout).toContain(
    [
      `${file}:44:7  objectives.components.database.rto`,
      '  given:   "6 hours"',
      '  allowed: a duration: a number and one of ms, s, min, h, d, such as "5 min"',
    ].join('\n'),
  );
});

test('a budget for a step that the scenario does not have', async () => {
  await change('budgets: {}', 'budgets: { restor: 20 min, gate-point: 5 min, restore: 20 min }');
  const { code, stdout } = await runMuster(['check', file, '--json']);
  expect(code).toBe(2);
  expect(JSON.parse(stdout).files[0].problems).toEqual([
    expect.objectContaining({
      field: 'scenarios.corruption.budgets.restor',
      given: '"restor"',
      allowed: expect.stringMatching(/^a step of corruption: restore, perhaps; known: assess, propose-point/),
    }),
    expect.objectContaining({ field: 'scenarios.corruption.budgets.gate-point' }),
  ]);
});

test('budgets that cannot hold an RTO are an error, and name the component that is late', async () => {
  await change('budgets: {}', 'budgets: { restore: 3 h }');
  const { code, stdout } = await runMuster(['check', file, '--json']);
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    files: [
      {
        system: 'payymo',
        problems: [
          {
            field: 'scenarios.corruption.budgets',
            given: 'budgets of 4 h 37 min until core-api is back, most of it restore with 3 h',
            allowed: expect.stringContaining('at most 4 h, the RTO of core-api'),
          },
        ],
      },
    ],
  });
});

test('every file is looked at, whatever is wrong with the others', async () => {
  await writeFile(join(folder, 'broken.yaml'), 'system: [');
  const { code, stdout } = await runMuster(['check', '--runbooks', folder, '--json']);
  expect(code).toBe(2);
  const { files } = JSON.parse(stdout);
  expect(
    files.map((each: { system: string; problems: unknown[] }) => [each.system, each.problems.length]),
  ).toEqual([
    ['broken', 1],
    ['payymo', 0],
  ]);
});

test('an unknown system is named with those that there are', async () => {
  const { code, stderr } = await runMuster(['check', 'paymo', '--runbooks', folder]);
  expect(code).toBe(2);
  expect(stderr).toContain(`payymo, perhaps; the runbooks in ${folder} are: payymo`);
});

describe('where the runbooks are looked for', () => {
  test('the option wins over the environment', async () => {
    const named = await runMuster(['check', '--json', '--runbooks', folder], {
      env: { MUSTER_RUNBOOKS: '/nowhere' },
    });
    expect(JSON.parse(named.stdout).files[0].file).toBe(file);
  });

  test('the environment wins over the folder here', async () => {
    const named = await runMuster(['check', '--json'], { env: { MUSTER_RUNBOOKS: folder } });
    expect(JSON.parse(named.stdout).files[0].file).toBe(file);
  });

  test('the lab that is up wins over the folder here', async () => {
    const lab = join(folder, 'lab');
    await cp('runbooks', join(lab, 'runbooks'), { recursive: true });
    const without = await runMuster(['check', '--json'], { env: { MUSTER_LAB: lab } });
    expect(JSON.parse(without.stdout).files[0].file).toMatch(/^runbooks\//);
    const environment = { MUSTER_RUNBOOKS: join(lab, 'runbooks') };
    await writeFile(join(lab, 'environment.json'), JSON.stringify({ environment, temporalUi: '' }));
    const up = await runMuster(['check', '--json'], { env: { MUSTER_LAB: lab } });
    expect(dirname(JSON.parse(up.stdout).files[0].file)).toBe(join(lab, 'runbooks'));
  });

  test('a folder that is not there is bad input', async () => {
    const { code, stderr } = await runMuster(['check'], { env: { MUSTER_RUNBOOKS: join(folder, 'none') } });
    expect(code).toBe(2);
    expect(stderr).toContain('MUSTER_RUNBOOKS');
    expect(stderr).toContain('allowed: a folder that holds one YAML file a system');
  });
});
