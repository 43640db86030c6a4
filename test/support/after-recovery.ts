/** Looks at PostgreSQL, the object store and DNS after a recovery, past Muster's own code wherever that can be. */
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import type pg from 'pg';
import type { LossReport, Promotion } from '../../activities/contract.js';
import { runningServer } from '../../lab/clusters.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import type { SiteName } from '../../lab/layout.js';
import type { RunResult } from '../../src/model/run.js';
import type { Incident } from './incident.js';
import type { ClaimFacts, CopyFacts, NameFacts, OldFacts, PaymentFacts } from './judge.js';
import { onLedger, secretOf, type TestLab } from './lab.js';
import { recordInDns } from './record.js';

/** Where a recovery of the ledger has happened. */
export interface Scene {
  readonly lab: TestLab;
  readonly incident: Incident;
  /** Payments that the client knew to be safe before the disaster: none of them may be missing. */
  readonly paidBefore: ReadonlySet<string>;
  /** Where the primary was, and where it is now. */
  readonly from: SiteName;
  readonly to: SiteName;
}

/** Read with nothing but an S3 client. */
export async function claimsInVault({ incident, lab }: Scene): Promise<ClaimFacts> {
  const { vault } = await incident.runbook();
  const region = Object.values(lab.state.regions).find((one) => one.endpoint === vault.endpoint);
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
      new ListObjectVersionsCommand({ Bucket: vault.bucket, Prefix: `claims/${incident.system}/` }),
    );
    const claims = await incident.claims();
    return { kinds: claims.map(({ kind }) => kind), versions: listed.Versions?.length ?? 0 };
  } finally {
    s3.destroy();
  }
}

export async function copyOf(scene: Scene, { timeline }: Promotion): Promise<CopyFacts> {
  return onCopy(scene, async (copy) => {
    const recovering = await values(copy, 'select pg_is_in_recovery()');
    return {
      timelines: await values(copy, "select name from pg_ls_waldir() where name like '%.history' order by 1"),
      inRecovery: recovering.join() !== 'false',
      named: timeline,
    };
  });
}

export async function oldPrimary({ lab, from }: Scene): Promise<OldFacts> {
  const { sites, app, admin } = lab.state.ledger;
  const lets: string[] = [];
  for (const login of [app, admin]) {
    const got = await onLedger(lab.state, login, async () => 'in', sites[from]).catch(() => 'refused');
    if (got === 'in') lets.push(login.user);
  }
  return { serverRuns: (await runningServer(sites[from].dataDir)) !== undefined, lets };
}

export async function paymentsOf(scene: Scene, { outputs }: RunResult): Promise<PaymentFacts> {
  const flow = await waitForPayments(scene.lab.state, 3).then(
    () => true,
    () => false,
  );
  const acknowledged = await scene.incident.acknowledged();
  const present = new Set(await onCopy(scene, (copy) => values(copy, 'select id from ledger.transactions')));
  const missing = acknowledged.filter(({ id }) => !present.has(id));
  const measured = (outputs['measure-loss'] as LossReport).classes.transactions;
  return {
    flow,
    missing,
    measuredLost: measured?.lostRecords,
    measuredMs: measured?.actualMs,
    missingFromBefore: missing.filter(({ id }) => scene.paidBefore.has(id)).length,
    promotedAt: (outputs.promote as Promotion).promotedAt,
  };
}

export async function namesOf({ lab, to }: Scene): Promise<NameFacts> {
  const { dns, ledger } = lab.state;
  const { values: found, ttl } = await recordInDns(lab.state);
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  resolver.setServers([dns.resolver]);
  const resolved = (await resolver.resolve4(dns.record)).join();
  const wanted = { address: ledger.sites[to].address, ttl: dns.ttl };
  return { values: found, ttl, resolved, wanted };
}

/** @returns names of the runbook's invariants that the new primary does not obey */
export async function brokenInvariants(scene: Scene): Promise<readonly string[]> {
  const { verification } = await scene.incident.runbook();
  const { signingKey } = scene.lab.state.ledger;
  return onCopy(scene, async (copy) => {
    const broken: string[] = [];
    for (const { name, sql, parameters } of verification.invariants) {
      const key = parameters.length === 0 ? [] : [await secretOf(signingKey)];
      const { rowCount } = await copy.query(sql, key);
      if (rowCount !== 0) broken.push(name);
    }
    return broken;
  });
}

function onCopy<T>({ lab, to }: Scene, work: (copy: pg.Client) => Promise<T>): Promise<T> {
  return onLedger(lab.state, lab.state.ledger.admin, work, lab.state.ledger.sites[to]);
}

/** The first column of each row, as text. */
async function values(client: pg.Client, sql: string): Promise<string[]> {
  const { rows } = await client.query({ text: sql, rowMode: 'array' });
  return rows.map((row: unknown[]) => String(row[0]));
}
