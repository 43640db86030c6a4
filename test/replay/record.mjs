/**
 * Records the history of the last run of a lab, so that later versions are held against it:
 * `npm run build && MUSTER_LAB=<lab> node test/replay/record.mjs <name>`, in a checkout under a path that may be published.
 * Payloads are written in clear: a lab's key ends with the lab, and what is recorded stays readable.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { payloadCodecFor } from '../../dist/src/temporal/codec-converter.js';

const [name] = process.argv.slice(2);
const lab = process.env.MUSTER_LAB;
if (name === undefined || lab === undefined) {
  process.stderr.write('usage: MUSTER_LAB=<folder of a lab> node test/replay/record.mjs <name>\n');
  process.exit(2);
}
const state = JSON.parse(readFileSync(path.join(lab, 'state.json'), 'utf8'));
const connection = await Connection.connect({ address: state.temporal.address });
const history = await new Client({ connection }).workflow.getHandle('payymo.real').fetchHistory();
await connection.close();
if (state.payloads !== undefined)
  await decrypt(history, await payloadCodecFor({ MUSTER_PAYLOAD_KEYS: state.payloads.keys }));
const bytes = proto.temporal.api.history.v1.History.encode(history).finish();
const file = fileURLToPath(new URL(`../histories/${name}.binpb.gz`, import.meta.url));
writeFileSync(file, gzipSync(bytes, { level: 9 }));
process.stdout.write(`${file}: ${history.events?.length} events\n`);

/** Replaces every encrypted payload below a part of the history by what it holds. */
async function decrypt(part, codec) {
  for (const [key, value] of Object.entries(part)) {
    if (value === null || typeof value !== 'object' || value instanceof Uint8Array) continue;
    if (value.metadata?.encoding === undefined) await decrypt(value, codec);
    else [part[key]] = await codec.decode([value]);
  }
}
