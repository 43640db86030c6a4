/** `muster notify test` and `muster update`, with real receivers and real runs. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sendByWorker, testNotice } from '../../src/cli/notice-sending.js';
import type { Notice } from '../../src/model/notice.js';
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';
import { type HttpReceiver, httpReceiver, mailReceiver, receiver } from '../support/receivers.js';
import { runMuster } from './run-muster.js';

let folder: string;
let there: HttpReceiver;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-notify-'));
  process.env.TEST_CLI_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  delete process.env.TEST_CLI_SECRET;
});
beforeEach(async () => {
  there = await httpReceiver();
});
afterEach(() => there.close());

/** Payymo's runbook with these channels. */
async function runbookWith(notifications: string): Promise<void> {
  const text = await readFile('runbooks/payymo.yaml', 'utf8');
  const without = text.replace(/^notifications:\n( .*\n|\n)*/m, '');
  await writeFile(join(folder, 'payymo.yaml'), `${without}\n${notifications}`);
}

const hook = (name: string, port: number, more = '') =>
  `  ${name}:\n    driver: webhook\n    url: http://127.0.0.1:${port}/\n    secret: env:TEST_CLI_SECRET\n${more}`;

const muster = (...args: string[]) => runMuster([...args, '--runbooks', folder]);

describe('notify test --here', () => {
  it('says of each receiver what happened, and of nothing that it was told when it was not', async () => {
    const mail = await mailReceiver({ authOptional: true, hideSTARTTLS: true });
    const dead = await httpReceiver();
    await dead.close();
    await runbookWith(
      `notifications:\n${hook('pages', there.port, '    events: [ended]\n')}${hook('dead', dead.port)}  mail:\n    driver: smtp\n    host: 127.0.0.1\n    port: ${mail.port}\n    security: none\n    from: muster@example.com\n`,
    );
    const { code, stdout } = await muster('notify', 'test', 'payymo', '--here', '--to', 'on-call');
    await mail.close();
    expect(code).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toEqual([
      'delivered  pages',
      expect.stringMatching(/^FAILED +dead \(webhook\) was not told: .*ECONNREFUSED/),
      'delivered  mail to on-call@payymo.internal',
    ]);
    expect(mail.mails[0]?.text).toContain(
      'Subject: [payymo] this is a test of notices. Nothing has happened.',
    );
    expect(JSON.parse(there.received[0]?.body ?? '')).toMatchObject({ type: 'muster.test' });
  });

  it('tells one channel where one is named', async () => {
    await runbookWith(`notifications:\n${hook('one', there.port)}${hook('two', there.port)}`);
    const { code, stdout } = await muster('notify', 'test', 'payymo', 'two', '--here', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      deliveries: [{ receiver: 'two', state: 'delivered' }],
    });
    expect(there.received).toHaveLength(1);
  });

  it('says what channels there are', async () => {
    await runbookWith(`notifications:\n${hook('pages', there.port)}`);
    const wrong = await muster('notify', 'test', 'payymo', 'page', '--here');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('pages, perhaps');
    const nobody = await muster('notify', 'test', 'payymo', '--here', '--to', 'nobody');
    expect(nobody.code).toBe(2);
    expect(nobody.stderr).toContain('on-call, database-lead, security-lead');
    await runbookWith('');
    const none = await muster('notify', 'test', 'payymo', '--here');
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('names no channel');
    expect(there.received).toEqual([]);
  });
});

describe('with Temporal', () => {
  let world: CliTestWorld;
  beforeAll(async () => {
    world = await openCliWorld();
  });
  afterAll(() => world.close());

  it('without a worker a test is called off, and the command says so', async () => {
    const notice = testNotice({ system: 'payymo', title: 'Payymo' }, [], new Date());
    const channel = { driver: 'webhook', url: there.url, secret: 'env:TEST_CLI_SECRET' } as const;
    const sent = sendByWorker(world.session, {
      notice,
      receivers: [receiver(channel)],
      patienceMs: 300,
      taskQueue: 'nobody-works-here',
    });
    await expect(sent).rejects.toMatchObject({ code: 'NoWorker' });
    const { status } = await world.session.client.workflow.getHandle(`notice.${notice.id}`).describe();
    expect(status.name).toBe('TERMINATED');
  });

  it('an update tells of a real run in plain words, and goes through a channel', async () => {
    const { system } = await world.start();
    await world.musterUntil(({ code }) => code === 3, 'status', system);
    const shown = await world.muster('update', system, '--next', '1 h');
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^Toy system: service disruption\n\nToy system: update of \d\d:\d\d UTC\n/);
    expect(shown.stdout).toContain('The people in charge are deciding on the next step.');
    expect(shown.stdout).toMatch(/Next update\n {2}By .*UTC/);
    const json = await world.muster('update', system, '--next', 'none', '--json');
    expect(JSON.parse(json.stdout).update).toMatchObject({ system, state: 'down', affected: ['database'] });
    expect(JSON.parse(json.stdout).update.nextAt).toBeUndefined();
    const wrong = await world.muster('update', system, '--next', 'soon');
    expect(wrong.code).toBe(2);

    await runbookWith(`notifications:\n${hook('status-page', there.port, '    events: [update]\n')}`);
    const runbook = (await readFile(join(folder, 'payymo.yaml'), 'utf8')).replace(
      'system: payymo',
      `system: ${system}`,
    );
    await writeFile(join(folder, `${system}.yaml`), runbook);
    const sent = await world.muster(
      'update',
      system,
      '--send',
      'status-page',
      '--here',
      '--runbooks',
      folder,
    );
    expect(sent).toMatchObject({ code: 0, stderr: '' });
    expect(sent.stdout).toMatch(/delivered {2}status-page\n$/);
    const { data } = JSON.parse(there.received[0]?.body ?? '') as { data: Notice };
    expect(data).toMatchObject({
      kind: 'update',
      title: 'Toy system: service disruption',
      actions: [],
      facts: [],
    });
    await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
  });
});
