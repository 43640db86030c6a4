/** What stands around the database: buckets, DNS, applications, the vault. Reads only. */
import type { ApplicationSeen, BucketSeen, RecordSeen } from '../../src/diagnosis/symptoms.js';
import { withClient } from '../../src/postgres.js';
import type {
  Anchor,
  Application,
  Bucket,
  DnsRecord,
  ObjectStore,
  PostgresSite,
} from '../../src/runbook/schema.js';
import { askResolver, sameValues } from '../dns/resolvers.js';
import { openBucket } from '../objects/s3.js';
import { adminOf } from '../service/index.js';
import { readPromotions, recoveringRun, withVault } from '../vault/index.js';
import { converse } from '../verify/conversation.js';
import { type Absence, type Look, lookAt, said } from './look.js';

const LOOK_MS = 10_000;
const HTTP_MS = 5_000;
/** Rows whose files are looked up: the newest keys are those of the newest rows. */
const SAMPLE = 50;

export interface VaultSeen {
  readonly state: 'answers' | Absence;
  /** Where the system was promoted last. */
  readonly site?: string;
  readonly underWay?: { readonly runId: string; readonly at: string };
}

export function lookAtVault(system: string, vault: Bucket): Promise<Look<VaultSeen>> {
  return lookAt<VaultSeen>(
    'vault',
    LOOK_MS,
    (state) => ({ state }),
    (signal) =>
      withVault(vault, signal, async (open) => {
        const promotions = await readPromotions(open, system);
        const site = promotions.filter(({ done }) => done !== undefined).at(-1)?.site;
        const found = await recoveringRun(open, system);
        const promoted =
          promotions.length === 0 ? 'nothing was promoted yet' : `promoted last at ${site ?? 'nowhere'}`;
        const claimed =
          found === undefined ? [] : [`run ${found.runId} has fenced the system at ${found.at}`];
        return {
          verdict: found === undefined ? 'fine' : 'wrong',
          saw: ['answers', promoted, ...claimed].join('; '),
          symptom: {
            state: 'answers',
            ...(site === undefined ? {} : { site }),
            ...(found === undefined ? {} : { underWay: { runId: found.runId, at: found.at } }),
          },
        };
      }),
  );
}

export function lookAtAnchor(anchor: Anchor): Promise<Look<null>> {
  return lookAt(
    'anchor of the journal',
    LOOK_MS,
    () => null,
    async (signal) => {
      const bucket = await openBucket(anchor, signal);
      try {
        const there = await bucket.exists();
        const saw = there ? 'answers' : `${bucket.title} is not there: journals are kept in the store alone`;
        return { verdict: there ? 'fine' : 'wrong', saw, symptom: null };
      } finally {
        bucket.close();
      }
    },
  );
}

/** @param from reads the rows that name the files; undefined where no database answers */
export function lookAtBucket(
  name: string,
  store: ObjectStore,
  which: BucketSeen['which'],
  from: PostgresSite | undefined,
): Promise<Look<BucketSeen>> {
  const place = store[which] ?? store.primary;
  const silent: BucketSeen = {
    ...{ store: name, which, failureDomain: place.failureDomain, state: 'silent' },
    ...{ versioned: false, missing: 0 },
  };
  return lookAt(
    `files ${name}, ${which} bucket`,
    LOOK_MS,
    (state): BucketSeen => ({ ...silent, state }),
    async (signal) => {
      const bucket = await openBucket(place, signal);
      try {
        if (!(await bucket.exists())) {
          return {
            verdict: 'wrong',
            saw: `${bucket.title} is not there`,
            symptom: { ...silent, state: 'gone' },
          };
        }
        const versioned = await bucket.isVersioned();
        const keys = which === 'primary' && from !== undefined ? await sampleOfKeys(store, from) : [];
        let missing = 0;
        for (const key of keys) if (!(await isThere(bucket, key))) missing += 1;
        const saw = [
          'it is there',
          versioned ? 'versions are kept' : 'it keeps NO versions: what is deleted is gone',
          ...(keys.length === 0 ? [] : [`of ${keys.length} files that rows name, ${missing} are missing`]),
        ].join('; ');
        return {
          verdict: versioned && missing === 0 ? 'fine' : 'wrong',
          saw,
          symptom: { ...silent, state: 'there', versioned, missing },
        };
      } finally {
        bucket.close();
      }
    },
  );
}

async function sampleOfKeys({ references }: ObjectStore, from: PostgresSite): Promise<readonly string[]> {
  if (references === undefined) return [];
  const { table, key } = references;
  const options = {
    statementTimeoutMs: HTTP_MS,
    connectTimeoutMs: 3_000,
    applicationName: 'muster diagnose',
  };
  return withClient(adminOf(from), options, async (client) => {
    const { rows } = await client.query<{ key: string }>(
      `select "${key}"::text as key from ${table} where "${key}" is not null order by 1 desc limit ${SAMPLE}`,
    );
    return rows.map((row) => row.key);
  }).catch(() => []);
}

async function isThere(bucket: Awaited<ReturnType<typeof openBucket>>, key: string): Promise<boolean> {
  for await (const { versions } of bucket.histories(key, undefined)) {
    if (versions[0]?.key === key) return versions[0].kind === 'version';
  }
  return false;
}

export function lookAtRecord(name: string, record: DnsRecord): Promise<Look<RecordSeen>> {
  return lookAt<RecordSeen>(
    `name ${record.name}`,
    LOOK_MS,
    () => ({ record: name, state: 'silent' }),
    async (signal) => {
      const answers = await Promise.all(
        record.resolvers.map(async (resolver) => ({
          resolver,
          ...(await askResolver(resolver, record, signal)),
        })),
      );
      const saw = answers.map(({ resolver, says }) => `${resolver} answers ${says}`).join('; ');
      const heard = answers.filter(({ values }) => values.length > 0);
      const [first] = heard;
      if (first === undefined) return { verdict: 'wrong', saw, symptom: { record: name, state: 'silent' } };
      const same = answers.every(({ values }) => sameValues(values, first.values));
      if (!same) return { verdict: 'wrong', saw, symptom: { record: name, state: 'disagree' } };
      const site = Object.keys(record.values).find((one) =>
        sameValues(record.values[one] ?? [], first.values),
      );
      if (site === undefined) {
        const where = `${saw}, which leads to no site of the runbook`;
        return { verdict: 'wrong', saw: where, symptom: { record: name, state: 'nowhere' } };
      }
      return {
        verdict: 'fine',
        saw: `leads to ${site}: ${saw}`,
        symptom: { record: name, state: 'leads', site },
      };
    },
  );
}

export function lookAtApplication(name: string, application: Application): Promise<Look<ApplicationSeen>> {
  const silent: ApplicationSeen = { name, health: 'silent', failing: [] };
  const { url, healthPath, functions } = application;
  return lookAt(
    `application ${name}`,
    LOOK_MS,
    () => silent,
    async (signal) => {
      const answer = await fetch(new URL(healthPath, url), {
        headers: { connection: 'close' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(HTTP_MS)]),
      }).catch(() => undefined);
      if (answer === undefined) {
        return { verdict: 'wrong', saw: `${url} does not answer`, symptom: silent };
      }
      const body = (await answer.text()).slice(0, 200);
      const tried = functions.filter(({ readOnly }) => readOnly);
      const failing: string[] = [];
      for (const one of tried) {
        await converse(url, one, { signal, timeoutMs: HTTP_MS }).catch((error: unknown) => {
          failing.push(`not so: ${one.title} (${said(error)})`);
        });
      }
      const health = answer.status === 200 ? 'healthy' : 'unhealthy';
      const saw = [
        health === 'healthy' ? 'healthy' : `not healthy: ${answer.status} ${body}`,
        ...(tried.length === 0
          ? []
          : [`${tried.length - failing.length} of ${tried.length} functions that only read work`]),
        ...failing,
      ].join('; ');
      const right = health === 'healthy' && failing.length === 0;
      return { verdict: right ? 'fine' : 'wrong', saw, symptom: { name, health, failing } };
    },
  );
}
