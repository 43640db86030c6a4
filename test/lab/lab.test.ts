import { spawn } from 'node:child_process';
import { createPublicKey, randomUUID } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { databaseAccount } from '../../lab/account.js';
import { labProof } from '../../lab/commands.js';
import { layoutOf } from '../../lab/layout.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { appEnvironment, trialCommand } from '../../lab/parts/payymo.js';
import { pgbackrest } from '../../lab/parts/pgbackrest.js';
import { BROKEN_CHAIN_SQL, WRONG_BALANCES_SQL } from '../../lab/payymo/signature.js';
import { freePorts } from '../../lab/ports.js';
import { isRunning, stopProcess } from '../../lab/process.js';
import { statusLab } from '../../lab/status.js';
import { upLab } from '../../lab/world.js';
import { Authenticator } from '../../src/people/totp.js';
import { loadRunbook } from '../../src/runbook/load.js';
import { runbookSchema } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { eventually } from '../support/eventually.js';
import { onLedger, SMALL, secretOf, useLab } from '../support/lab.js';

const lab = useLab();

async function post(
  payment: Record<string, unknown>,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${lab.state.payymo.appUrl}/payments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(payment),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

async function getJson(url: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(url);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const payment = () => ({
  id: randomUUID(),
  from: 3,
  to: 4,
  amountCents: 1_250,
  currency: 'EUR',
  memo: 'Miete für März',
});

describe('a lab that is up', () => {
  test('runs every part but the worker, which the test has left out', async () => {
    const status = await statusLab(lab.dir);
    expect(status?.parts.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'temporal running',
      's3-west running',
      's3-east running',
      'route53 running',
      'dns running',
      'postgres-west running',
      'store running',
      'payymo-app running',
      'payymo-client running',
    ]);
    expect(status?.sites.map(({ name, active, inDns }) => ({ name, active, inDns }))).toEqual([
      { name: 'west', active: true, inDns: true },
      { name: 'standby', active: false, inDns: false },
      { name: 'recovery', active: false, inDns: false },
      { name: 'east', active: false, inDns: false },
    ]);
  });

  test('listens on loopback only', async () => {
    const inodes = new Set<string>();
    for (const part of Object.values(lab.state.parts)) {
      for (const fd of await readdir(`/proc/${part.pid}/fd`)) {
        const target = await readlink(`/proc/${part.pid}/fd/${fd}`).catch(() => '');
        const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
        if (inode) inodes.add(inode);
      }
    }
    const listening: string[] = [];
    for (const table of ['tcp', 'tcp6', 'udp', 'udp6']) {
      for (const line of (await readFile(`/proc/net/${table}`, 'utf8')).split('\n').slice(1)) {
        const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
        const listens = table.startsWith('udp') ? state === '07' : state === '0A';
        if (listens && inodes.has(inode)) listening.push(local.split(':')[0] ?? '');
      }
    }
    expect(listening.length).toBeGreaterThanOrEqual(11);
    // In the kernel's notation 127.a.b.c ends with 7F, and ::1 reads as below.
    expect(listening.filter((address) => !/^[0-9A-F]{6}7F$|^0{24}01000000$/.test(address))).toEqual([]);
  });

  test('names its secrets by reference and shows none of them', async () => {
    const secrets = join(lab.dir, 'secrets');
    const values = await Promise.all((await readdir(secrets)).map((name) => secretOf(join(secrets, name))));
    const commands = Object.values(lab.state.parts).map(({ pid }) =>
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    );
    const open = await Promise.all([
      readFile(join(lab.dir, 'state.json'), 'utf8'),
      readFile(join(lab.dir, 'runbooks', 'payymo.yaml'), 'utf8'),
      ...commands,
    ]);
    expect(values.length).toBeGreaterThan(10);
    expect(values.filter((value) => open.some((text) => text.includes(value)))).toEqual([]);
  });

  test('answers the database name with the primary and a TTL of 60 s, over its own DNS server', async () => {
    const resolver = new Resolver();
    resolver.setServers([lab.state.dns.resolver]);
    expect(await resolver.resolve4('ledger-db.payymo.internal', { ttl: true })).toEqual([
      { address: lab.state.ledger.sites.west.address, ttl: 60 },
    ]);
  });

  test('holds a full encrypted backup in each of the two repositories', async () => {
    const cluster = layoutOf(lab.dir).sites.west;
    const text = await pgbackrest(findPrograms().pgbackrest, cluster, databaseAccount(), [
      'info',
      '--output=json',
    ]);
    const [stanza] = JSON.parse(text);
    expect(stanza.status.code).toBe(0);
    expect(stanza.cipher).toBe('aes-256-cbc');
    const backups = stanza.backup as { type: string; error: boolean; database: { 'repo-key': number } }[];
    expect(backups.map(({ type, error, database }) => [database['repo-key'], type, error])).toEqual([
      [1, 'full', false],
      [2, 'full', false],
    ]);
  });

  test('archives finished WAL to both repositories', async () => {
    const finished = await onLedger(lab.state, lab.state.ledger.admin, async (client) => {
      await client.query("select pg_logical_emit_message(true, 'test', 'something to archive')");
      const { rows } = await client.query<{ name: string }>(
        'select pg_walfile_name(pg_switch_wal()) as name',
      );
      return rows[0]?.name ?? '';
    });
    for (const region of ['west', 'east'] as const) {
      const archive = join(layoutOf(lab.dir).s3[region], 'data', 'payymo-backups', 'postgresql', 'archive');
      await eventually(async () => {
        const files = await readdir(archive, { recursive: true });
        expect(files.filter((file) => file.includes(`/${finished}-`))).toHaveLength(1);
      });
    }
  });
});

describe('the ledger', () => {
  const broken = async () =>
    onLedger(lab.state, lab.state.ledger.admin, async (client) => {
      const key = await secretOf(lab.state.ledger.signingKey);
      // What a session is set to must not change what was signed.
      await client.query(
        "set timezone = 'Asia/Kathmandu'; set datestyle = 'German'; set bytea_output = 'escape'",
      );
      const chain = await client.query(BROKEN_CHAIN_SQL, [key]);
      const balances = await client.query(WRONG_BALANCES_SQL);
      return { chain: chain.rows, balances: balances.rows };
    });

  test('is signed from the seed to the newest payment, and its balances add up', async () => {
    const made = await post(payment());
    expect(made.status).toBe(201);
    expect(made.body.sequence).toBeGreaterThan(SMALL.transactions);
    expect(await broken()).toEqual({ chain: [], balances: [] });
  });

  test('shows a signature made with another key', async () => {
    const rows = await onLedger(lab.state, lab.state.ledger.admin, async (client) => {
      const { rowCount } = await client.query(BROKEN_CHAIN_SQL, ['00'.repeat(32)]);
      return rowCount;
    });
    expect(rows).toBeGreaterThanOrEqual(SMALL.transactions);
  });

  test.each([
    'update ledger.transactions set amount_cents = 1',
    'delete from ledger.transactions',
    'truncate ledger.transactions',
  ])('refuses even its administrator: %s', async (statement) => {
    const refused = onLedger(lab.state, lab.state.ledger.admin, (client) => client.query(statement));
    await expect(refused).rejects.toThrow('ledger.transactions is append-only');
  });

  test('lets the application append and nothing more', async () => {
    const attempts = [
      'update ledger.transactions set amount_cents = 1',
      'delete from ledger.transactions',
      'alter table ledger.transactions disable trigger append_only',
      'update ledger.accounts set opening_cents = 0',
      'delete from ledger.users',
      'create table ledger.other (id int)',
    ];
    for (const statement of attempts) {
      const refused = onLedger(lab.state, lab.state.ledger.app, (client) => client.query(statement));
      await expect(refused).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('Payymo', () => {
  test('has every acknowledged payment in the database', async () => {
    const { clientUrl } = lab.state.payymo;
    await eventually(async () =>
      expect((await getJson(`${clientUrl}/stats`)).body.acknowledged).toBeGreaterThan(20),
    );
    const text = await (await fetch(`${clientUrl}/acknowledged`)).text();
    const acknowledged = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; sequence: number });
    expect(acknowledged.length).toBeGreaterThan(20);
    const found = await onLedger(lab.state, lab.state.ledger.admin, (client) =>
      client.query<{ id: string; seq: string }>(
        'select id, seq from ledger.transactions where id = any($1::uuid[])',
        [acknowledged.map(({ id }) => id)],
      ),
    );
    const inLedger = new Map(found.rows.map(({ id, seq }) => [id, Number(seq)]));
    expect(acknowledged.filter(({ id, sequence }) => inLedger.get(id) !== sequence)).toEqual([]);
  });

  test('takes the same payment once, and no other under its id', async () => {
    const asked = payment();
    const [first, second] = [await post(asked), await post(asked)];
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toEqual(first.body);
    expect((await post({ ...asked, amountCents: 1 })).status).toBe(409);
    expect((await getJson(`${lab.state.payymo.appUrl}/payments/${asked.id}`)).body).toEqual(first.body);
  });

  test('answers balances, and says which account is not there', async () => {
    const { appUrl } = lab.state.payymo;
    expect((await getJson(`${appUrl}/accounts/3/balance`)).body).toEqual({
      account: 3,
      currency: 'EUR',
      balanceCents: expect.any(Number),
      updatedAt: expect.stringMatching(/Z$/),
    });
    expect(await getJson(`${appUrl}/accounts/999999/balance`)).toEqual({
      status: 404,
      body: { error: 'no account 999999' },
    });
  });

  test('started read-only against a server it is shown, answers and takes no payment', async () => {
    const { address, port } = lab.state.ledger.sites.west;
    const { own } = await freePorts({ own: { addresses: ['127.0.0.1'] } });
    const [program = '', ...args] = trialCommand();
    const trial = spawn(program, args, {
      stdio: 'ignore',
      env: {
        ...appEnvironment(lab.state),
        MUSTER_PORT: String(own),
        MUSTER_DATABASE_HOST: address,
        MUSTER_DATABASE_PORT: String(port),
      },
    });
    try {
      const url = `http://127.0.0.1:${own}`;
      const health = await eventually(() => getJson(`${url}/health`));
      expect(health).toMatchObject({ status: 200, body: { readOnly: true, database: { address, port } } });
      expect((await getJson(`${url}/accounts/1/balance`)).status).toBe(200);
      const refused = await fetch(`${url}/payments`, { method: 'POST', body: JSON.stringify(payment()) });
      expect(refused.status).toBe(503);
    } finally {
      trial.kill('SIGKILL');
    }
  });

  test.each([
    [400, { id: 'no uuid' }],
    [400, { amountCents: 0 }],
    [400, { amountCents: 1.5 }],
    [400, { extra: 1 }],
    [404, { to: 999_999 }],
    [422, { to: 3 }],
    [422, { currency: 'USD' }],
    [422, { amountCents: 1_000_000_000 }],
  ])('answers %d to a payment with %j', async (status, change) => {
    expect((await post({ ...payment(), ...change })).status).toBe(status);
  });
});

describe('the runbook of the lab', () => {
  test('is valid, has the addresses of the lab and nothing of production, and keeps the comments', async () => {
    const file = join(lab.state.runbooks, 'payymo.yaml');
    const text = await readFile(file, 'utf8');
    const { system, sites, dns, vault } = runbookSchema.parse(parse(text));
    const { west, recovery } = lab.state.ledger.sites;
    expect(system).toBe('payymo');
    expect(sites.west?.postgres).toMatchObject({ host: west.address, port: west.port });
    expect(sites.recovery?.postgres?.service.dataDirectory).toBe(recovery.dataDir);
    expect(dns.ledger?.values).toEqual({
      west: [west.address],
      standby: [lab.state.ledger.sites.standby.address],
      recovery: [recovery.address],
      east: [lab.state.ledger.sites.east.address],
    });
    expect(vault.endpoint).toBe(lab.state.regions.east.endpoint);
    expect(text).not.toMatch(/\/etc\/|\b10\.20\.|https:\/\/[a-z-]+\.payymo\.internal/);
    expect(text).toContain('# HMAC-SHA256 by pgcrypto');
  });

  test('asks its people for proofs that the lab can give', async () => {
    const { state, dir } = lab;
    const { people } = (await loadRunbook(join(state.runbooks, 'payymo.yaml'))).runbook;
    const lead = people.find(({ name }) => name === 'database-lead');
    const { key, totp } = await labProof('database-lead', { dir });
    const publicKey = createPublicKey(await readFile(key, 'utf8')).export({ type: 'spki', format: 'pem' });
    expect(lead?.proofs?.keys).toEqual([publicKey]);
    const authenticator = new Authenticator(await resolveSecret(lead?.proofs?.totp ?? ''), 'the lab');
    expect(authenticator.stepOf(totp, Date.now())).toEqual(expect.any(Number));
  });

  test('holds invariants that the sound ledger keeps', async () => {
    const { verification } = runbookSchema.parse(
      parse(await readFile(join(lab.state.runbooks, 'payymo.yaml'), 'utf8')),
    );
    expect(verification.invariants.length).toBeGreaterThanOrEqual(5);
    for (const { name, sql, parameters } of verification.invariants) {
      const values = await Promise.all(parameters.map(secretOf));
      const rows = await onLedger(
        lab.state,
        lab.state.ledger.admin,
        async (client) => (await client.query(sql, values)).rows,
      );
      expect({ name, rows }).toEqual({ name, rows: [] });
    }
  });
});

describe('bringing it up again', () => {
  test('keeps what runs and starts again what is dead', async () => {
    const before = { ...lab.state.parts };
    const dns = before.dns;
    if (!dns) throw new Error('no DNS server in the state');
    await stopProcess(dns, 'SIGKILL');
    const after = (await upLab({ dir: lab.dir, size: SMALL, worker: 'none', log: () => undefined })).parts;
    expect(after.dns?.pid).not.toBe(dns.pid);
    expect(after.dns && isRunning(after.dns)).toBe(true);
    expect({ ...after, dns: null }).toEqual({ ...before, dns: null });
  });
});
