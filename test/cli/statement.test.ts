/** Deciding without Muster's own signing: the printed text, signed by openssl or ssh-keygen, sent as Temporal's tools send it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyProof } from '../../activities/proof/verify.js';
import type { Decision, DecisionAnswer } from '../../src/model/decision.js';
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';
import { keyFolder } from '../support/people.js';

const folder = keyFolder();
const pem = folder.pemKey();
const ssh = folder.sshKey('ed25519');
let world: CliTestWorld;
let system: string;
let workflowId: string;

beforeAll(async () => {
  world = await openCliWorld();
  // Eve's key of the toy runbook is none: she has these.
  const verify = verifyProof();
  world.toy.verify = (input) =>
    verify({ ...input, person: { ...input.person, proofs: { keys: [pem.publicKey, ssh.publicKey] } } });
  ({ system, workflowId } = await world.start());
  await world.musterUntil(
    ({ code, stdout }) => code === 3 && JSON.parse(stdout).run.openDecisions.length > 0,
    ...['status', system, '--json'],
  );
});
afterAll(async () => {
  await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
  await world.close();
  folder.remove();
});

const send = (decision: Decision) =>
  world.session.client.workflow
    .getHandle(workflowId)
    .executeUpdate<DecisionAnswer, [Decision]>('decide', { args: [decision] });

async function printed(
  ...args: string[]
): Promise<{ statement: string; decision: Decision; file: string | null }> {
  const outcome = await world.muster('statement', system, ...args, '--by', 'eve', '--json');
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(outcome.stdout);
}

test('the text is signed by ssh-keygen, the rest filled in, and the run takes it', async () => {
  const file = join(folder.path, 'statement.txt');
  const { statement, decision } = await printed('deny', 'point', '--reason', 'not yet', '--file', file);
  expect(await readFile(file, 'utf8')).toBe(statement);
  expect(JSON.parse(statement)).toMatchObject({ on: 'point', choice: 'deny', by: 'eve', reason: 'not yet' });
  expect(decision.proof).toEqual({ at: expect.any(String), signature: 'THE SIGNATURE' });
  const at = decision.proof?.at ?? '';
  // What was signed says `deny`: it is no approval.
  const signature = folder.signSsh(ssh.file, statement);
  const turned = { ...decision, choice: 'approve' as const, proof: { at, signature } };
  await expect(send(turned)).rejects.toMatchObject({
    cause: { message: expect.stringContaining('made over another text') },
  });
  const { text } = await send({ ...decision, proof: { at, signature } });
  expect(text).toContain('denied by eve');
  await expect(send({ ...decision, proof: { at, signature } })).rejects.toMatchObject({
    cause: { message: expect.any(String) },
  });
});

test('openssl signs as well, and a change is part of what is signed', async () => {
  const { statement, decision } = await printed('approve', 'point', '--change', 'point=evening');
  expect(JSON.parse(statement)).toMatchObject({ change: { point: 'evening' } });
  const proof = { at: decision.proof?.at ?? '', signature: folder.signEd25519(pem.file, statement) };
  const { change: _change, ...unchanged } = decision;
  await expect(send({ ...unchanged, proof })).rejects.toMatchObject({
    cause: { message: expect.stringContaining("by none of eve's keys") },
  });
});

test('for people it says what to type, with the workflow that is meant', async () => {
  const { stdout } = await world.muster('statement', system, 'hold', '--reason', 'a minute', '--by', 'eve');
  expect(stdout).toContain('ssh-keygen -Y sign -n muster');
  expect(stdout).toContain('openssl pkeyutl -sign -rawin');
  expect(stdout).toContain(`--workflow-id ${workflowId} --name decide --input-file decision.json`);
  expect(stdout).toContain('"opening":""');
});

test.each([
  ['a choice that there is not', ['promote', 'point'], '<choice>'],
  ['a gate that is not open', ['approve', 'promote'], '[on]'],
  ['a change without a value', ['approve', 'point', '--change', 'point'], '--change'],
  ['a file that cannot be written', ['hold', '--file', '/nonexistent/statement.txt'], '--file'],
])('%s is answered with what is allowed', async (_what, args, field) => {
  const outcome = await world.muster('statement', system, ...args, '--by', 'eve', '--json');
  expect(outcome.code).toBe(2);
  expect(JSON.parse(outcome.stdout)).toMatchObject({ error: { problems: [{ field }] } });
});
