import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { deployCommands } from '../../activities/deploy/commands.js';
import { deployActivities } from '../../activities/deploy/index.js';
import { infrastructureActivities } from '../../activities/provision/infrastructure.js';
import { startMarkOf } from '../../lab/process.js';
import type { Progress } from '../../src/model/run.js';
import type { Application, Infrastructure } from '../../src/runbook/schema.js';
import { temporaryFolder } from './support/folder.js';
import { stepOf } from './support/steps.js';

const { planInfrastructure, makeInfrastructure } = infrastructureActivities();
const { deployApplication } = deployActivities();
const at = stepOf('run-1', 'practice-hub', 'deploy');
const SECRET = 'S3cret-of-the-platform';
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder('command');
  process.env.MUSTER_TEST_PLATFORM = SECRET;
});
afterEach(() => folder.remove());

/** A program of the owner's in shell. */
async function program(script: string): Promise<string> {
  const file = join(folder.path, 'program');
  await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

async function application(script: string, timeout = 20_000): Promise<Application> {
  return {
    component: 'portal',
    url: 'https://portal.example',
    healthPath: '/health',
    functions: [],
    deploy: {
      driver: 'command',
      command: [await program(script), '--fast'],
      directory: folder.path,
      environment: { PLATFORM_TOKEN: 'env:MUSTER_TEST_PLATFORM', PLATFORM: 'hub' },
      timeout,
    },
  };
}

const order = (app: Application) => ({
  at,
  application: app,
  site: 'north',
  release: '2026.11.2',
  inputs: { address: '10.0.0.1' },
});

describe('a program of the owner', () => {
  test('is told what to do by arguments, environment and JSON, and answers with outputs', async () => {
    const app = await application(`
cat > told.json
echo "$1 $PLATFORM $PLATFORM_TOKEN $MUSTER_SITE $MUSTER_RELEASE $MUSTER_RUN $MUSTER_ATTEMPT" > told.txt
echo "token $PLATFORM_TOKEN accepted" >&2
echo '{"url": "https://north.example", "instances": 2}'`);
    const environment = new MockActivityEnvironment();
    const beats: Progress[] = [];
    environment.on('heartbeat', (progress: Progress) => beats.push(progress));
    const done = await environment.run(deployApplication, order(app));
    expect(done).toEqual({
      outputs: { url: 'https://north.example', instances: 2 },
      summary: 'portal, release 2026.11.2, deployed at north',
    });
    expect(await readFile(join(folder.path, 'told.txt'), 'utf8')).toBe(
      `--fast hub ${SECRET} north 2026.11.2 run-1 1\n`,
    );
    expect(JSON.parse(await readFile(join(folder.path, 'told.json'), 'utf8'))).toEqual({
      ...{ run: 'run-1', system: 'practice-hub', step: 'deploy' },
      ...{ site: 'north', release: '2026.11.2', inputs: { address: '10.0.0.1' } },
    });
    expect(JSON.stringify([done, beats])).not.toContain(SECRET);
  });

  test.each([
    [
      'fails',
      'echo "no room with $PLATFORM_TOKEN" >&2; exit 3',
      'PermanentError',
      'CommandFailed',
      /ended with 3\. It said: no room with \*\*\*$/,
    ],
    [
      'asks for time',
      'echo starting >&2; exit 75',
      'TransientError',
      'CommandNotYet',
      /asks to be tried again/,
    ],
    ['answers no JSON', 'echo done', 'PermanentError', 'AnswerUnreadable', /no JSON object/],
    ['answers a list', 'echo [1]', 'PermanentError', 'AnswerUnreadable', /no JSON object/],
    ['answers without end', 'yes | head -c 300000', 'PermanentError', 'AnswerUnreadable', /more than 256 kB/],
    [
      'answers a secret',
      `echo "{\\"token\\": \\"$PLATFORM_TOKEN\\"}"`,
      'PermanentError',
      'AnswerHoldsSecret',
      /a secret/,
    ],
  ])('that %s is told apart', async (_what, script, name, code, message) => {
    const failure = deployApplication(order(await application(script)));
    await expect(failure).rejects.toMatchObject({ name, code, message: expect.stringMatching(message) });
    expect(String(await failure.catch(String))).not.toContain(SECRET);
  });

  test('that does not end is ended with what it has started', async () => {
    const app = await application('sleep 60 & echo $! > child; wait', 700);
    await expect(deployApplication(order(app))).rejects.toMatchObject({ code: 'ToolTimedOut' });
    const child = Number(await readFile(join(folder.path, 'child'), 'utf8'));
    expect(startMarkOf(child)).toBeUndefined();
  });

  test('that is missing, or not named, or that a drill would run, is not run', async () => {
    const app = await application('exit 0');
    const { deploy, ...without } = app;
    await expect(deployApplication(order(without))).rejects.toMatchObject({ code: 'NoDeploy' });
    const missing = { ...app, deploy: { ...deploy, command: ['/nowhere/program'] } as Application['deploy'] };
    await expect(deployApplication(order({ ...without, ...missing }))).rejects.toMatchObject({
      code: 'ToolMissing',
    });
    await expect(deployApplication({ ...order(app), at: { ...at, mode: 'drill' } })).rejects.toMatchObject({
      code: 'DrillForbidden',
    });
  });

  test('is printed with where and what it is told', async () => {
    const [printed] = deployCommands({
      application: await application('exit 0'),
      site: 'north',
      release: '7',
    });
    expect(printed?.command).toBe(
      `MUSTER_SITE=north MUSTER_RELEASE=7 ${join(folder.path, 'program')} --fast < /dev/null`,
    );
  });
});

describe('infrastructure by a program of the owner', () => {
  test('is looked at, then made; another command than the one shown is refused', async () => {
    const made = join(folder.path, 'made');
    const file = await program(
      `[ "$1" = --check ] && { echo '{"servers": 2}'; exit 0; }; echo made >> ${made}; echo '{"address": "10.0.0.7"}'`,
    );
    const infrastructure: Infrastructure = {
      driver: 'command',
      title: 'servers in the north',
      command: [file, '--make'],
      check: [file, '--check'],
      directory: folder.path,
      environment: {},
      timeout: 20_000,
    };
    const shown = await planInfrastructure({ at, infrastructure });
    expect(shown).toMatchObject({ text: expect.stringContaining('"servers": 2') });
    await expect(readFile(made, 'utf8')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await makeInfrastructure({ at, infrastructure, shown })).toMatchObject({
      outputs: { address: '10.0.0.7' },
      summary: 'servers in the north made; it gave address',
    });
    const other = { ...infrastructure, command: [file, '--make', '--more'] };
    await expect(makeInfrastructure({ at, infrastructure: other, shown })).rejects.toMatchObject({
      code: 'PlanChanged',
    });
    expect(await readFile(made, 'utf8')).toBe('made\n');
  });
});
