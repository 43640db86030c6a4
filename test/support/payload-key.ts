/** A key to encrypt payloads with, for one test file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeNewKey } from '../../src/temporal/codec-keys.js';

/** Variables with which clients, workers and commands encrypt. Use it inside of a test; it is gone when all have run. */
export function usePayloadKey(): { readonly env: Readonly<Record<string, string>> } {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-payload-key-'));
    await writeNewKey(join(folder, 'key'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return {
    get env() {
      return { MUSTER_PAYLOAD_KEYS: `file:${join(folder, 'key')}` };
    },
  };
}
