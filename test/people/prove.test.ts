import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyProof } from '../../activities/proof/verify.js';
import type { Proof } from '../../src/model/decision.js';
import { type Means, meansFrom, prove } from '../../src/people/prove.js';
import { Authenticator, newTotpSecret } from '../../src/people/totp.js';
import type { Person } from '../../src/runbook/schema.js';
import { keyFolder, personWith, RUN, statementWith } from '../support/people.js';

const folder = keyFolder();
afterAll(() => folder.remove());
const pem = folder.pemKey();
const ssh = folder.sshKey('ed25519');
const secret = newTotpSecret();
const totp = folder.secret('totp', secret);

const statementAt = (at: string) => statementWith({ at });
const both = { signature: true, code: true };
const signature = { signature: true, code: false };

function judge(person: Person, proof: Proof | undefined, secondFactor: 'none' | 'totp' = 'none') {
  const verify = verifyProof({ now: Date.now, claim: async () => undefined });
  const statement = statementAt(proof?.at ?? '');
  return verify({ at: RUN, person, statement, secondFactor, ...(proof === undefined ? {} : { proof }) });
}

test('what is made is accepted: Ed25519 in PEM with a code, and a key of OpenSSH', async () => {
  const code = new Authenticator(secret, totp).codeAt(Date.now());
  const first = await prove(statementAt, { keyFile: pem.file, totp: code }, both);
  expect(await judge(personWith({ keys: [pem.publicKey], totp }), first, 'totp')).toMatchObject({
    accepted: true,
    methods: ['ed25519', 'totp'],
  });
  const second = await prove(statementAt, { keyFile: ssh.file }, signature);
  expect(await judge(personWith({ keys: [ssh.publicKey] }), second)).toMatchObject({
    accepted: true,
    methods: ['ssh'],
  });
});

test('a key that an agent holds signs by its public half', async () => {
  const key = folder.sshKey('ed25519');
  const socket = join(folder.path, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  const before = process.env.SSH_AUTH_SOCK;
  try {
    // It says where it listens once it does.
    await once(agent.stdout, 'data');
    process.env.SSH_AUTH_SOCK = socket;
    execFileSync('ssh-add', ['-q', key.file], { env: process.env });
    renameSync(key.file, `${key.file}.away`);
    const proof = await prove(statementAt, { keyFile: `${key.file}.pub` }, signature);
    expect(await judge(personWith({ keys: [key.publicKey] }), proof)).toMatchObject({ accepted: true });
  } finally {
    if (before === undefined) delete process.env.SSH_AUTH_SOCK;
    else process.env.SSH_AUTH_SOCK = before;
    const gone = once(agent, 'exit');
    agent.kill();
    await gone;
  }
});

test('a person at a terminal is asked for the code, and the time is taken after the answer', async () => {
  let answered = 0;
  const askCode = async () => {
    answered = Date.now();
    return ' 123 456 ';
  };
  const proof = await prove(statementAt, { askCode }, { signature: false, code: true });
  expect(proof).toMatchObject({ totp: '123456' });
  expect(Date.parse(proof?.at ?? '')).toBeGreaterThanOrEqual(answered);
});

test('nothing is made where nothing is asked, and nobody is asked', async () => {
  const askCode = () => Promise.reject(new Error('asked'));
  const means: Means = { keyFile: pem.file, askCode };
  expect(await prove(statementAt, means, { signature: false, code: false })).toBeUndefined();
  expect(await prove(statementAt, { askCode })).toBeUndefined();
});

test('of whom nothing is known, what they have is used', async () => {
  const proof = await prove(statementAt, { keyFile: pem.file, totp: '123456' });
  expect(proof).toMatchObject({ signature: expect.any(String), totp: '123456' });
});

test.each([
  ['a key', {}, signature, '--key'],
  ['a code', { keyFile: pem.file }, both, '--totp'],
] as const)(
  'without %s the question is answered before anything is sent',
  async (_what, means, demanded, field) => {
    await expect(prove(statementAt, means, demanded)).rejects.toMatchObject({
      code: 'BadInput',
      problems: [{ field }],
      message: expect.stringContaining('nothing was sent'),
    });
  },
);

const encrypted = join(folder.path, 'encrypted.pem');
execFileSync('openssl', ['pkey', '-in', pem.file, '-aes256', '-passout', 'pass:hunter2', '-out', encrypted]);
const x25519 = join(folder.path, 'x25519.pem');
execFileSync('openssl', ['genpkey', '-algorithm', 'x25519', '-out', x25519]);
const rubbish = join(folder.path, 'rubbish.pem');
writeFileSync(rubbish, '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
const text = join(folder.path, 'text');
writeFileSync(text, 'no key');

test.each([
  ['is not there', join(folder.path, 'nowhere'), /ENOENT/],
  ['is encrypted PEM', encrypted, /it is encrypted; sign by hand/],
  ['is for something else', x25519, /it is x25519, not Ed25519/],
  ['is rubbish', rubbish, /it cannot be read as PEM/],
  ['is no key at all', text, /cannot sign/],
])('a key that %s is named with what to do', async (_what, keyFile, message) => {
  await expect(prove(statementAt, { keyFile }, signature)).rejects.toMatchObject({
    code: 'KeyUnusable',
    message: expect.stringMatching(message),
    next: expect.stringContaining('Nothing was sent'),
  });
});

test('--key goes before MUSTER_KEY; paths are read from where the command is given', () => {
  const env = { MUSTER_KEY: '/keys/day' };
  expect(meansFrom({}, env, '/here')).toMatchObject({ keyFile: '/keys/day', keyNamedBy: 'MUSTER_KEY' });
  expect(meansFrom({ key: 'own.pem' }, env, '/here')).toMatchObject({
    keyFile: '/here/own.pem',
    keyNamedBy: '--key',
  });
  expect(meansFrom({ key: '~/own.pem' }, env, '/here').keyFile).toMatch(/^\/(?!here).*\/own\.pem$/);
  expect(meansFrom({}, { MUSTER_KEY: '' }, '/here')).toEqual({});
  expect(() => meansFrom({ totp: '12345' }, {}, '/here')).toThrow('That is no code of an authenticator.');
});
