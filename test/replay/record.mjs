/**
 * Records the history of the last run of a lab, so that later versions are held against it:
 * `npm run build && MUSTER_LAB=<lab> node test/replay/record.mjs <name>`, in a checkout under a path that may be published,
 * of a lab that was brought up with MUSTER_PAYLOAD_ENCRYPTION=off.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';

const [name] = process.argv.slice(2);
const lab = process.env.MUSTER_LAB;
if (name === undefined || lab === undefined) {
  process.stderr.write('usage: MUSTER_LAB=<folder of a lab> node test/replay/record.mjs <name>\n');
  process.exit(2);
}
const state = JSON.parse(readFileSync(path.join(lab, 'state.json'), 'utf8'));
if (state.payloads !== undefined) {
  process.stderr.write(
    'This lab encrypts payloads: bring one up with MUSTER_PAYLOAD_ENCRYPTION=off to record from.\n',
  );
  process.exit(2);
}
const connection = await Connection.connect({ address: state.temporal.address });
const history = await new Client({ connection }).workflow.getHandle('payymo.real').fetchHistory();
await connection.close();
const bytes = proto.temporal.api.history.v1.History.encode(history).finish();
const file = fileURLToPath(new URL(`../histories/${name}.binpb.gz`, import.meta.url));
writeFileSync(file, gzipSync(bytes, { level: 9 }));
process.stdout.write(`${file}: ${history.events?.length} events\n`);
