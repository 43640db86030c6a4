/** Looks at PostgreSQL, the object store, DNS, the store's rows and Temporal's history after a recovery. */
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import type pg from 'pg';
import type { LossReport, Promotion } from '../../activities/contract.js';
import { runningServer } from '../../lab/clusters.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { layoutOf } from '../../lab/layout.js';
import type { RunResult } from '../../src/model/run.js';
import { APPROVER, SYSTEM, stepOf } from '../support/incident.js';
import { onLedger, secretOf } from '../support/lab.js';
import { recordInDns } from '../support/record.js';
import { type Facts, wrongIn } from './check.js';
import { lookAtJournal } from './journal.js';
import type { Stage } from './stage.js';

/** What store and bucket did not take at once follows every five seconds; a busy machine may need several turns. */
const JOURNAL_MS = 60_000;
const AGAIN_MS = 1_000;

/** @returns everything that is not as it must be after a recovery; nothing is how it must be */
export async function wrongAfter(stage: Stage, result: RunResult): Promise<readonly string[]> {
  const deadline = Date.now() + JOURNAL_MS;
  if (result.view.status !== 'recovered') return [`the run ended ${result.view.status}`];
  const world = await lookAtWorld(stage, result);
  for (;;) {
    const wrong = wrongIn({ ...world, journal: await lookAtJournal(stage) });
    if (wrong.length === 0 || Date.now() > deadline) return wrong;
    await new Promise((later) => setTimeout(later, AGAIN_MS));
  }
}

async function lookAtWorld(stage: Stage, result: RunResult): Promise<Omit<Facts, 'journal'>> {
  const { view, outputs } = result;
  const [claims, copy, old, payments, names] = await Promise.all([
    claimsInVault(stage),
    copyOf(stage, outputs.promote as Promotion),
    oldPrimary(stage),
    paymentsOf(stage, result),
    namesOf(stage),
  ]);
  const approvals = stage.approvals.map(({ gate }) => ({
    gate,
    counted: stepOf(view, `gate-${gate}`).decisions.filter(
      ({ choice, by }) => choice === 'approve' && by === APPROVER,
    ).length,
  }));
  return { status: view.status, claims, copy, old, payments, names, approvals };
}

/** Read with nothing but an S3 client. */
async function claimsInVault(stage: Stage): Promise<Facts['claims']> {
  const { vault } = await stage.incident.runbook();
  const region = Object.values(stage.lab.state.regions).find((one) => one.endpoint === vault.endpoint);
  if (region === undefined) throw new Error('the vault is in no region of the lab');
  const s3 = new S3Client({
    endpoint: region.endpoint,
    region: region.region,
    forcePathStyle: true,
    credentials: {
      accessKeyId: await secretOf(region.accessKeyId),
      secretAccessKey: await secretOf(region.secretAccessKey),
    },
    requestHandler: { httpsAgent: { ca: await readFile(region.caFile) }, requestTimeout: 10_000 },
  });
  try {
    const listed = await s3.send(
      new ListObjectVersionsCommand({ Bucket: vault.bucket, Prefix: `claims/${SYSTEM}/` }),
    );
    const claims = await stage.incident.claims();
    return { kinds: claims.map(({ kind }) => kind), versions: listed.Versions?.length ?? 0 };
  } finally {
    s3.destroy();
  }
}

async function copyOf(stage: Stage, { timeline }: Promotion): Promise<Facts['copy']> {
  return onCopy(stage, async (copy) => {
    const recovering = await values(copy, 'select pg_is_in_recovery()');
    return {
      timelines: await values(copy, "select name from pg_ls_waldir() where name like '%.history' order by 1"),
      inRecovery: recovering.join() !== 'false',
      named: timeline,
    };
  });
}

async function oldPrimary({ lab }: Stage): Promise<Facts['old']> {
  const { sites, app, admin } = lab.state.ledger;
  const lets: string[] = [];
  for (const login of [app, admin]) {
    const got = await onLedger(lab.state, login, async () => 'in', sites.west).catch(() => 'refused');
    if (got === 'in') lets.push(login.user);
  }
  return { serverRuns: (await runningServer(sites.west.dataDir)) !== undefined, lets };
}

async function paymentsOf(stage: Stage, { outputs }: RunResult): Promise<Facts['payments']> {
  const flow = await waitForPayments(stage.lab.state, 3).then(
    () => true,
    () => false,
  );
  const acknowledged = await stage.incident.acknowledged();
  const present = new Set(await onCopy(stage, (copy) => values(copy, 'select id from ledger.transactions')));
  const missing = acknowledged.filter(({ id }) => !present.has(id));
  return {
    flow,
    missing,
    measuredLost: (outputs['measure-loss'] as LossReport).classes.transactions?.lostRecords,
    missingFromBefore: missing.filter(({ id }) => stage.paidBefore.has(id)).length,
    promotedAt: (outputs.promote as Promotion).promotedAt,
  };
}

async function namesOf({ lab }: Stage): Promise<Facts['names']> {
  const { dns, ledger } = lab.state;
  const { values: found, ttl } = await recordInDns(lab.state);
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  resolver.setServers([dns.resolver]);
  const resolved = (await resolver.resolve4(dns.record)).join();
  const wanted = { address: ledger.sites.recovery.address, ttl: dns.ttl };
  return { values: found, ttl, resolved, wanted };
}

function onCopy<T>({ lab }: Stage, work: (copy: pg.Client) => Promise<T>): Promise<T> {
  return onLedger(lab.state, lab.state.ledger.admin, work, lab.state.ledger.sites.recovery);
}

/** The first column of each row, as text. */
async function values(client: pg.Client, sql: string): Promise<string[]> {
  const { rows } = await client.query({ text: sql, rowMode: 'array' });
  return rows.map((row: unknown[]) => String(row[0]));
}

/** Where the lab keeps what its parts said: for a case that went wrong. */
export function logsOf({ lab }: Stage): string {
  return layoutOf(lab.dir).logs;
}
