import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folder of this test run: see run-folder.ts. */
export default function setUp() {
  process.env.MUSTER_TEST_RUN = mkdtempSync(join(tmpdir(), 'muster-test-'));
}
