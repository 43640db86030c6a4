import { readFileSync } from 'node:fs';
import type { InputError, InputProblem } from '../../src/errors.js';
import { readRunbook } from '../../src/runbook/load.js';
import { corruptionScenario } from '../../workflows/corruption.js';

const payymo = readFileSync('runbooks/payymo.yaml', 'utf8');
const SECTION = `
  nightly:
    driver: archive
    copies:
      - driver: folder
        title: the volume
        failureDomain: us-west-2/us-west-2b
        path: /backups
      - driver: s3
        title: S3 us-east-1
        failureDomain: us-east-1
        region: us-east-1
        bucket: dumps
        prefix: daily/
    recipients: [age1t2evdyvaz6dr3dkrq5dkkwhc93gfj03zljvafmdnrlnq3f92yeysfnna90]
    signers:
      - |
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
        -----END PUBLIC KEY-----
`;

function withArchive(change: (section: string) => string = (section) => section): string {
  return payymo.replace('\ndns:\n', `${change(SECTION)}\ndns:\n`);
}

function problemsOf(text: string): readonly InputProblem[] {
  try {
    readRunbook('runbooks/payymo.yaml', text);
    return [];
  } catch (error) {
    return (error as InputError).problems;
  }
}

it('takes archives beside pgBackRest, with the defaults of a full parallel dump', () => {
  const { runbook } = readRunbook('runbooks/payymo.yaml', withArchive());
  expect(runbook.backups.nightly).toMatchObject({
    content: 'full',
    layout: 'directory',
    jobs: 2,
    check: 'read',
  });
});

it.each<[string, (section: string) => string, string, RegExp]>([
  [
    'incremental',
    (s) => s.replace('copies:', 'content: incremental\n    copies:'),
    'content',
    /^full, schema, data$/,
  ],
  [
    'an unknown place',
    (s) => s.replace('driver: folder', 'driver: tape'),
    'copies[0].driver',
    /^s3, folder$/,
  ],
  [
    "a field of another driver's",
    (s) => s.replace('copies:', 'stanza: x\n    copies:'),
    'stanza',
    /^driver, database, content/,
  ],
  [
    'a private key for a recipient',
    (s) => s.replace('age1t2', 'AGE-SECRET-KEY-1'),
    'recipients[0]',
    /a public key of age/,
  ],
  [
    'a prefix without its end',
    (s) => s.replace('daily/', 'daily'),
    'copies[1].prefix',
    /names that each end with/,
  ],
  ['a path that is not whole', (s) => s.replace('/backups', 'backups'), 'copies[0].path', /an absolute path/],
  [
    'every copy beside the primary',
    (s) => s.replaceAll(/failureDomain: .*/g, 'failureDomain: us-west-2/us-west-2a'),
    'copies',
    /at least one copy in a failure domain outside/,
  ],
  [
    'two copies in one place',
    (s) =>
      s.replace(
        /driver: s3[\s\S]*prefix: daily\//,
        'driver: folder\n        title: again\n        failureDomain: x\n        path: /backups',
      ),
    'copies[1]',
    /a place that no other one has/,
  ],
  [
    'a trial restore without a key',
    (s) => s.replace('copies:', 'check: restore\n    copies:'),
    'check',
    /without a private key/,
  ],
])('refuses %s, saying what is allowed', (_what, change, field, allowed) => {
  const [problem] = problemsOf(withArchive(change));
  expect(problem).toMatchObject({
    field: `backups.nightly.${field}`,
    allowed: expect.stringMatching(allowed),
  });
});

const restoring = (section: (section: string) => string) =>
  withArchive(section).replace('    backup: ledger', '    backup: nightly');
const readable = (s: string) => s.replace('signers:', 'identities: [file:/keys/age]\n    signers:');

it('takes an archive for a recovery, if it holds everything and can be read', () => {
  expect(problemsOf(restoring(readable))).toEqual([]);
  expect(problemsOf(restoring((s) => s))).toMatchObject([
    { field: 'backups.nightly.identities', allowed: expect.stringContaining('corruption restores from it') },
  ]);
  expect(
    problemsOf(restoring((s) => readable(s).replace('copies:', 'content: data\n    copies:'))),
  ).toMatchObject([
    { field: 'scenarios.corruption.backup', allowed: 'a backup of everything (content: full)' },
  ]);
});

it('refuses a standby that would catch up from an archive', () => {
  const text = withArchive(readable).replace(/(\n {2}azLoss:[\s\S]*?\n {4}backup: )ledger/, '$1nightly');
  expect(problemsOf(text)).toMatchObject([
    { field: 'scenarios.azLoss.backup', allowed: expect.stringContaining('catches up from WAL') },
  ]);
});

it('plans the recovery of a system that has dumps, with the commands of dumps', () => {
  const { runbook } = readRunbook('runbooks/payymo.yaml', restoring(readable));
  const { steps } = corruptionScenario.buildPlan(runbook).document;
  const commands = steps.flatMap((step) => step.commands.map(({ command }) => command));
  expect(commands.filter((command) => /pgbackrest|backupConfig|undefined/.test(command))).toEqual([]);
  expect(steps.map(({ title }) => title)).toEqual(
    expect.arrayContaining([
      'Load the archive into a new cluster and close it to writes',
      'Rung 1: the archive in its copy, byte for byte',
      'Rung 4: what was dumped is what was loaded',
    ]),
  );
  expect(commands).toEqual(
    expect.arrayContaining([
      'ls -r /backups/<system>',
      expect.stringContaining('openssl pkeyutl -verify'),
      expect.stringMatching(/^touch \/.*\/standby\.signal$/m),
    ]),
  );
});

it('never shows a private key that was written where a public one belongs', () => {
  const problems = problemsOf(withArchive((s) => s.replace('copies:', 'signingKey: hunter2\n    copies:')));
  expect(JSON.stringify(problems)).not.toContain('hunter2');
  const misplaced = problemsOf(withArchive((s) => s.replace('age1t2', 'AGE-SECRET-KEY-1')));
  expect(JSON.stringify(misplaced)).not.toContain('AGE-SECRET-KEY-1evdy');
  expect([problems.length, misplaced.length]).toEqual([1, 1]);
});
