/**
 * Looks at what came out of a recovery, past Muster's own code wherever it can: at PostgreSQL, at the object store, at DNS, at the
 * store's rows and at Temporal's history.
 */
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
import { eventually, onLedger, secretOf } from '../support/lab.js';
import { recordInDns } from '../support/record.js';
import { wrongInJournal } from './journal.js';
import type { Stage } from './stage.js';

/** The spool is sent every five seconds; a busy machine may need several turns. */
const JOURNAL_MS = 60_000;

/** @returns everything that is not as it must be after a recovery; nothing is how it must be */
export async function wrongAfter(stage: Stage, result: RunResult): Promise<readonly string[]> {
  if (result.view.status !== 'recovered') return [`the run ended ${result.view.status}`];
  const checks = [
    promotedOnce,
    oldPrimaryIsDead,
    paymentsAreThere,
    approvalsCount,
    namesLead,
    (one: Stage) => journalIsWhole(one),
  ];
  const found = await Promise.all(checks.map((check) => check(stage, result)));
  return found.flat();
}

async function promotedOnce(stage: Stage, { outputs }: RunResult): Promise<readonly string[]> {
  const wrong: string[] = [];
  const claims = await claimsInVault(stage);
  if (claims.versions !== claims.kinds.length)
    wrong.push(`claims were written over: ${claims.versions} versions`);
  if (claims.kinds.join() !== 'fence,promotion') wrong.push(`claims: ${claims.kinds.join(', ')}`);
  const { timeline } = outputs.promote as Promotion;
  const seen = await onCopy(stage, async (copy) => ({
    histories: await values(copy, "select name from pg_ls_waldir() where name like '%.history' order by 1"),
    timeline: await values(copy, 'select timeline_id from pg_control_checkpoint()'),
    recovering: await values(copy, 'select pg_is_in_recovery()'),
  }));
  if (seen.histories.join() !== '00000002.history') wrong.push(`timelines: ${seen.histories.join(', ')}`);
  if (seen.recovering.join() !== 'false') wrong.push('the copy is still in recovery');
  if (timeline !== 2) wrong.push(`the run names timeline ${timeline}`);
  return wrong;
}

/** Kinds of the claims in order, read with nothing but an S3 client, and how many versions of them there ever were. */
async function claimsInVault(stage: Stage): Promise<{ kinds: readonly string[]; versions: number }> {
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

async function oldPrimaryIsDead({ lab }: Stage): Promise<readonly string[]> {
  const { sites, app, admin } = lab.state.ledger;
  const wrong: string[] = [];
  if ((await runningServer(sites.west.dataDir)) !== undefined)
    wrong.push('a server runs on the old data directory');
  for (const login of [app, admin]) {
    const got = await onLedger(lab.state, login, async () => 'in', sites.west).catch(() => 'refused');
    if (got === 'in') wrong.push(`${login.user} gets into the old primary`);
  }
  return wrong;
}

async function paymentsAreThere(stage: Stage, { outputs }: RunResult): Promise<readonly string[]> {
  const wrong: string[] = [];
  await waitForPayments(stage.lab.state, 3).catch(() => wrong.push('no payments are taken'));
  const acknowledged = await stage.incident.acknowledged();
  const present = new Set(await onCopy(stage, (copy) => values(copy, 'select id from ledger.transactions')));
  const missing = acknowledged.filter(({ id }) => !present.has(id));
  const loss = (outputs['measure-loss'] as LossReport).classes.transactions;
  if (missing.length !== loss?.lostRecords) {
    wrong.push(
      `${missing.length} acknowledged payments are missing, ${loss?.lostRecords} were measured as lost`,
    );
  }
  const before = missing.filter(({ at }) => at < stage.damage.startedAt);
  if (before.length > 0) wrong.push(`${before.length} payments from before the damage are missing`);
  return wrong;
}

async function approvalsCount(stage: Stage, { view }: RunResult): Promise<readonly string[]> {
  const given = stage.approvals.map(({ gate }) => gate).sort();
  if (given.join() !== 'point,promote') return [`approvals were given at ${given.join(', ') || 'no gate'}`];
  return given.flatMap((gate) => {
    const approvals = stepOf(view, `gate-${gate}`).decisions.filter(
      ({ choice, by }) => choice === 'approve' && by === APPROVER,
    );
    return approvals.length === 1 ? [] : [`gate ${gate} counts ${approvals.length} approvals by ${APPROVER}`];
  });
}

async function namesLead({ lab }: Stage): Promise<readonly string[]> {
  const { dns, ledger } = lab.state;
  const record = await recordInDns(lab.state);
  const wrong: string[] = [];
  if (record.values.join() !== ledger.sites.recovery.address)
    wrong.push(`the record says ${record.values.join()}`);
  if (record.ttl !== dns.ttl) wrong.push(`the record has a TTL of ${record.ttl} s`);
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  resolver.setServers([dns.resolver]);
  const answer = (await resolver.resolve4(dns.record)).join();
  if (answer !== ledger.sites.recovery.address) wrong.push(`${dns.record} answers ${answer}`);
  return wrong;
}

/** What the store did not take at once follows from the spool: that is waited for. */
async function journalIsWhole(stage: Stage): Promise<readonly string[]> {
  try {
    return await eventually(async () => {
      const wrong = await wrongInJournal(stage);
      if (wrong.length > 0) throw new Wrong(wrong);
      return wrong;
    }, JOURNAL_MS);
  } catch (error) {
    if (error instanceof Wrong) return error.findings;
    throw error;
  }
}

class Wrong extends Error {
  constructor(readonly findings: readonly string[]) {
    super(findings.join('; '));
  }
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
