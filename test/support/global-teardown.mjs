import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Ends the servers that test files of this run shared, and removes the folder of the run. */
export default function tearDown() {
  const run = process.env.MUSTER_TEST_RUN;
  for (const name of readdirSync(run).filter((file) => file.endsWith('.json'))) {
    for (const pid of JSON.parse(readFileSync(join(run, name), 'utf8')).pids) {
      try {
        process.kill(pid, 'SIGTERM');
      } catch {
        // It has ended by itself.
      }
    }
  }
  rmSync(run, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
