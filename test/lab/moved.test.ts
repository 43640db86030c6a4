/** A lab whose database has moved to the recovery site, as a recovery leaves it. */

import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ChangeResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { databaseAccount } from '../../lab/account.js';
import { breakCorruption } from '../../lab/break/corruption.js';
import { runningServer, serversOf } from '../../lab/clusters.js';
import { downLab } from '../../lab/down.js';
import { layoutOf } from '../../lab/layout.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { archiveCommand, pgbackrest } from '../../lab/parts/pgbackrest.js';
import { listening } from '../../lab/parts/postgres.js';
import { isRunning, run, stopProcess } from '../../lab/process.js';
import { statusLab } from '../../lab/status.js';
import { upLab } from '../../lab/world.js';
import { eventually } from '../support/eventually.js';
import { onLedger, SMALL, secretOf, useLab } from '../support/lab.js';

const lab = useLab();
const silent = { log: () => undefined };
const up = () => upLab({ dir: lab.dir, size: SMALL, worker: 'none', ...silent });

async function health(): Promise<{ status: string; database: { address: string }; lastSequence: number }> {
  const answer = await fetch(`${lab.state.payymo.appUrl}/health`);
  return (await answer.json()) as { status: string; database: { address: string }; lastSequence: number };
}

async function moveDns(from: string, to: string): Promise<void> {
  const { dns } = lab.state;
  const api = new Route53Client({
    endpoint: dns.route53Endpoint,
    region: 'us-east-1',
    credentials: {
      accessKeyId: await secretOf(dns.accessKeyId),
      secretAccessKey: await secretOf(dns.secretAccessKey),
    },
  });
  const record = (value: string) => ({
    ...{ Name: dns.record, Type: 'A' as const, TTL: dns.ttl },
    ResourceRecords: [{ Value: value }],
  });
  await api.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: dns.zoneId,
      ChangeBatch: {
        Changes: [
          { Action: 'DELETE', ResourceRecordSet: record(from) },
          { Action: 'CREATE', ResourceRecordSet: record(to) },
        ],
      },
    }),
  );
  api.destroy();
}

/** Restores the newest state from the repositories to the recovery site, starts and promotes it. */
async function recover(): Promise<void> {
  const { recovery } = layoutOf(lab.dir).sites;
  const account = databaseAccount();
  const { pgbackrest: program, postgresBin } = findPrograms();
  await pgbackrest(program, recovery, account, ['restore']);
  const site = lab.state.ledger.sites.recovery;
  const settings = {
    ...listening(recovery, site.address, site.port),
    archive_command: archiveCommand(program, recovery),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
  await appendFile(join(recovery.data, 'postgresql.auto.conf'), lines.join(''));
  await run(join(postgresBin, 'pg_ctl'), ['start', '-D', recovery.data, '-l', recovery.logFile, '-w', '-s'], {
    ...{ cwd: recovery.base, timeoutMs: 30_000, account },
  });
  await eventually(() =>
    onLedger(
      lab.state,
      lab.state.ledger.admin,
      async (client) => {
        const { rows } = await client.query('select pg_is_in_recovery() as waits');
        expect(rows).toEqual([{ waits: false }]);
      },
      site,
    ),
  );
}

test('the application follows the name, and nothing ever starts the old primary again', async () => {
  const { west, recovery } = lab.state.ledger.sites;
  const primary = lab.state.parts['postgres-west'];
  if (!primary) throw new Error('no primary in the state');
  const before = await health();
  expect(before).toMatchObject({ status: 'ok', database: { address: west.address } });

  await stopProcess(primary, 'SIGINT', 30_000);
  await eventually(async () => expect((await health()).status).toBe('unavailable'));
  await recover();
  // The name still leads to the old place: up must leave both servers as they are, and Payymo unwell.
  await up();
  expect(await runningServer(west.dataDir)).toBeUndefined();
  await moveDns(west.address, recovery.address);
  await eventually(async () =>
    expect(await health()).toMatchObject({ status: 'ok', database: { address: recovery.address } }),
  );
  const moved = (await health()).lastSequence;
  expect(moved).toBeGreaterThanOrEqual(before.lastSequence);
  await eventually(async () => expect((await health()).lastSequence).toBeGreaterThan(moved));

  await up();
  expect(await runningServer(west.dataDir)).toBeUndefined();
  const status = await statusLab(lab.dir);
  expect(
    status?.sites.map(({ name, active, inDns, serverPid }) => [name, active, inDns, serverPid !== null]),
  ).toEqual([
    ['west', false, false, false],
    ['standby', false, false, false],
    ['recovery', true, true, true],
    ['east', false, false, false],
  ]);
}, 120_000);

test('after the recovered server died, up starts it and not the old one', async () => {
  const { west, recovery } = lab.state.ledger.sites;
  const server = await runningServer(recovery.dataDir);
  if (!server) throw new Error('no server at the recovery site');
  await stopProcess(server, 'SIGQUIT');
  const state = await up();
  expect(await runningServer(west.dataDir)).toBeUndefined();
  expect((await runningServer(recovery.dataDir))?.pid).toBe(state.parts['postgres-recovery']?.pid);
  await eventually(async () => expect((await health()).status).toBe('ok'));
  // A disaster hits the database where it is now.
  expect((await breakCorruption(state)).alteredRows).toBeGreaterThan(0);
}, 120_000);

test('a recovery that has begun is not disturbed: a stopped primary stays stopped', async () => {
  const layout = layoutOf(lab.dir);
  const { west, recovery } = layout.sites;
  for (const server of await serversOf(layout)) {
    const own = lab.state.parts.store?.pid === server.pid;
    if (!own) await stopProcess(server, 'SIGQUIT');
  }
  await rm(recovery.data, { recursive: true });
  await rm(`${recovery.data}.lease.json`, { force: true });
  await appendFile(`${recovery.data}.lease.json`, '{}');
  await up();
  expect(await runningServer(west.data)).toBeUndefined();
  await rm(`${recovery.data}.lease.json`);
  const state = await up();
  expect((await runningServer(west.data))?.pid).toBe(state.parts['postgres-west']?.pid);
}, 120_000);

test('down ends servers that a recovery has started too', async () => {
  const layout = layoutOf(lab.dir);
  const { west } = layout.sites;
  const state = await up();
  const known = state.parts['postgres-west'];
  if (!known) throw new Error('no primary in the state');
  await stopProcess(known, 'SIGINT', 30_000);
  await run(join(state.postgresBin, 'pg_ctl'), ['start', '-D', west.data, '-l', west.logFile, '-w', '-s'], {
    ...{ cwd: west.base, timeoutMs: 30_000, account: databaseAccount() },
  });
  const restarted = await runningServer(west.data);
  if (!restarted) throw new Error('pg_ctl did not start the server');
  expect(await readFile(layout.stateFile, 'utf8')).not.toContain(`"pid": ${restarted.pid},`);
  expect(await downLab(lab.dir, silent)).toBe(true);
  expect(isRunning(restarted)).toBe(false);
}, 120_000);
