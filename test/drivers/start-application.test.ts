/** An application is brought up where it does not answer, by the owner's own program, and left alone where it does. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startActivities } from '../../activities/deploy/start.js';
import { freePorts } from '../../lab/ports.js';
import type { Application } from '../../src/runbook/schema.js';
import { temporaryFolder } from './support/folder.js';
import { stepOf } from './support/steps.js';

const { startApplication } = startActivities();
const at = stepOf('run-1');

/** A program that leaves a server behind, which is unwell: its database is not there yet. */
const DEPLOY = `
const { spawn } = require('node:child_process');
const server = "require('node:http').createServer((_, answer) => answer.writeHead(503).end()).listen(Number(process.argv[1]), '127.0.0.1')";
const child = spawn(process.execPath, ['-e', server, process.argv[3]], { detached: true, stdio: 'ignore' });
require('node:fs').writeFileSync(process.argv[2], child.pid + ' ' + process.env.MUSTER_SITE);
child.unref();`;

test('it is brought up once, and found the next time', async () => {
  const folder = await temporaryFolder('start');
  const { port } = await freePorts({ port: { addresses: ['127.0.0.1'] } });
  const note = join(folder.path, 'note');
  await writeFile(join(folder.path, 'deploy.cjs'), DEPLOY);
  const application: Application = {
    component: 'core-api',
    url: `http://127.0.0.1:${port}`,
    healthPath: '/health',
    deploy: {
      driver: 'command',
      command: [process.execPath, join(folder.path, 'deploy.cjs'), note, String(port)],
      directory: folder.path,
      environment: {},
      timeout: 20_000,
    },
    functions: [],
  };
  let pid = 0;
  try {
    const first = await startApplication({ at, application, site: 'standby' });
    const [started, site] = (await readFile(note, 'utf8')).split(' ');
    pid = Number(started);
    expect(first).toMatchObject({ ranAlready: false, site: 'standby' });
    expect(site).toBe('standby');
    expect(await startApplication({ at, application, site: 'standby' })).toMatchObject({ ranAlready: true });
    expect((await readFile(note, 'utf8')).split(' ')[0]).toBe(started);
  } finally {
    if (pid > 0) process.kill(pid, 'SIGKILL');
    await folder.remove();
  }
}, 30_000);

test('where nothing says how, a person is asked', async () => {
  const { port } = await freePorts({ port: { addresses: ['127.0.0.1'] } });
  const application: Application = {
    component: 'core-api',
    url: `http://127.0.0.1:${port}`,
    healthPath: '/health',
    functions: [],
  };
  await expect(startApplication({ at, application, site: 'standby' })).rejects.toMatchObject({
    code: 'ApplicationDown',
  });
});
