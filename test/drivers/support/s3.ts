import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findPrograms } from '../../../lab/parts/lookup.js';
import { startPart, untilAnswers } from '../../../lab/parts/part.js';
import {
  endpointOf,
  JOURNAL_BUCKET,
  makeBuckets,
  type ObjectStore,
  s3Part,
  VAULT_BUCKET,
} from '../../../lab/parts/s3.js';
import { freePorts } from '../../../lab/ports.js';
import { type ProcessMark, stopProcess } from '../../../lab/process.js';
import { makeCertificates } from '../../../lab/tls.js';
import type { Anchor, Bucket } from '../../../src/runbook/schema.js';
import { temporaryFolder } from './folder.js';

/** A real S3 server over TLS with a vault in it. */
export interface TestVault {
  readonly bucket: Bucket;
  /** A bucket beside it, for the anchors of journals. */
  readonly anchor: Anchor;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** It takes connections and answers nothing, until the function that is returned is called. */
  freeze(): () => void;
  remove(): Promise<void>;
}

export async function startVault(): Promise<TestVault> {
  const folder = await temporaryFolder('vault');
  const programs = await findPrograms();
  const { port } = await freePorts({ port: { addresses: ['127.0.0.1', '::1'] } }).catch(() =>
    freePorts({ port: { addresses: ['127.0.0.1'] } }),
  );
  const secret = join(folder.path, 'secret');
  await writeFile(secret, 'vault-secret\n', { mode: 0o600 });
  await writeFile(join(folder.path, 'key'), 'vault-key\n', { mode: 0o600 });
  const store: ObjectStore = {
    region: 'east',
    folder: join(folder.path, 's3'),
    port,
    tls: await makeCertificates(join(folder.path, 'tls'), programs.openssl),
    accessKeyId: 'vault-key',
    secretAccessKey: 'vault-secret',
    program: programs.versitygw,
    logFile: join(folder.path, 's3.log'),
  };
  const part = await s3Part(store);
  let mark: ProcessMark | undefined;
  const bucket: Bucket = {
    endpoint: endpointOf(store),
    region: 'us-east-1',
    bucket: VAULT_BUCKET,
    pathStyle: true,
    caFile: store.tls.ca,
    accessKeyId: `file:${join(folder.path, 'key')}`,
    secretAccessKey: `file:${secret}`,
  };
  const vault: TestVault = {
    bucket,
    anchor: { ...bucket, bucket: JOURNAL_BUCKET, failureDomain: 'us-east-1', lockFor: 60 * 60_000 },
    start: async () => {
      mark = await startPart(part);
      await untilAnswers(part, mark);
    },
    stop: async () => {
      if (mark !== undefined) await stopProcess(mark, 'SIGTERM');
      mark = undefined;
    },
    freeze: () => {
      const pid = mark?.pid;
      if (pid === undefined) throw new Error('it does not run');
      process.kill(pid, 'SIGSTOP');
      return () => process.kill(pid, 'SIGCONT');
    },
    remove: async () => {
      await vault.stop();
      await folder.remove();
    },
  };
  await vault.start();
  await makeBuckets(store);
  return vault;
}
