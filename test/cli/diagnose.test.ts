/** Without any of its servers, secrets or tools' configurations: nothing is taken for gone that only cannot be looked at. */
import { runCli } from '../../src/cli/program.js';
import { TestTerminal } from '../support/terminal.js';
import { runMuster } from './run-muster.js';

const env = {
  MUSTER_LAB: '/nonexistent/muster-lab',
  TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml',
};
const runbooks = ['--runbooks', 'runbooks'];

// The vault's client looks for credentials by itself; it must find none, and ask nobody.
const AWS = { AWS_EC2_METADATA_DISABLED: 'true', AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials' };
beforeAll(() => Object.assign(process.env, AWS));
afterAll(() => {
  for (const name of Object.keys(AWS)) delete process.env[name];
});

interface Diagnosed {
  readonly system: string;
  readonly sound: boolean;
  readonly findings: readonly { readonly subject: string; readonly verdict: string; readonly saw: string }[];
  readonly proposals: readonly unknown[];
  readonly cannotTell: readonly string[];
}

it('says what it cannot look at, and proposes nothing for it', async () => {
  const { code, stdout } = await runMuster(['diagnose', 'payymo', '--json', ...runbooks], { env });
  const { findings, proposals, cannotTell, sound } = JSON.parse(stdout) as Diagnosed;
  expect({ code, sound, proposals }).toEqual({ code: 1, sound: false, proposals: [] });
  const verdicts = Object.fromEntries(findings.map(({ subject, verdict }) => [subject, verdict]));
  expect(verdicts).toMatchObject({
    'primary west': 'unknown',
    'standby standby': 'unknown',
    'application core-api': 'wrong',
    vault: 'unknown',
    'name ledger-db.payymo.internal': 'wrong',
  });
  expect(findings[0]?.saw).toMatch(/^Muster cannot look from here: .*ledger-admin-password/);
  expect(cannotTell.join('\n')).toContain('this machine has not what it takes');
}, 60_000);

it('answers a system that there is no runbook of as bad input', async () => {
  const { code, stderr } = await runMuster(['diagnose', 'paymo', ...runbooks], { env });
  expect(code).toBe(2);
  expect(stderr).toContain('payymo');
});

it.each([
  [['recover', 'payymo'], /muster diagnose payymo/],
  [['recover', 'corruption'], /not said which system/],
])('guesses nothing in a script: %j', async (args, said) => {
  const { code, stderr } = await runMuster([...args, ...runbooks], { env });
  expect(code).toBe(2);
  expect(stderr.replace(/\s+/g, ' ')).toMatch(said);
});

it('asks on a terminal which recovery it is to be, and begins none where none is chosen', async () => {
  const terminal = new TestTerminal();
  const { stdin, stdout } = terminal;
  const asked = runCli(['recover', 'payymo', ...runbooks], {
    streams: { stdout, stderr: stdout },
    stdin,
    env: { ...env, NO_COLOR: '1' },
    cwd: process.cwd(),
    version: '0.0.0',
  });
  await terminal.choose('Which recovery?', 'none');
  expect(await asked).toBe(0);
  expect(terminal.all).toMatch(/CANNOT BE TOLD[\s\S]*Nothing was begun/);
}, 60_000);
