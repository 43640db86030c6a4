import { join } from 'node:path';
import { messageOf } from '../../src/errors.js';
import { buildReport } from '../../src/evidence/build.js';
import type { LostClass } from '../../src/evidence/document.js';
import { signingKey } from '../../src/evidence/key.js';
import { lostFromStore } from '../../src/evidence/lost.js';
import { reportContent, writeReportFiles } from '../../src/evidence/write.js';
import { reportDirectory } from '../../src/home.js';
import { createLog } from '../../src/log.js';
import { headOf, type JournalHead } from '../../src/store/chain.js';
import { readJournal } from '../../src/store/journal.js';
import { recorder } from '../../src/store/recorder.js';
import { REPORT_FILES } from '../../src/store/reports.js';
import type { MusterActivities } from '../contract.js';

const log = createLog('report');

/**
 * Writes and signs the report of a run, as files in `${MUSTER_HOME}/reports/<run>` and into the store. The store's silence
 * does not hold it up: the report then says what it could not list. Written again, it replaces itself.
 *
 * @throws PermanentError `SecretMissing` or `SigningKeyUnusable` when it cannot be signed
 */
export const writeReport: MusterActivities['writeReport'] = async ({ plan, view, outputs }) => {
  const key = await signingKey();
  const kept = await fromStore(view.runId);
  const report = buildReport({ plan, view, outputs, ...kept, publicKeySha256: key.fingerprint });
  const { directory, sha256 } = await writeReportFiles(
    reportDirectory(view.runId),
    reportContent(report, key),
  );
  await recorder().keepReport(view.runId, report.writtenAt, directory);
  return {
    summary: `signed with key ${key.fingerprint.slice(0, 16)}, ${join(directory, REPORT_FILES.html)}`,
    html: join(directory, REPORT_FILES.html),
    json: join(directory, REPORT_FILES.json),
    signature: join(directory, REPORT_FILES.signature),
    publicKey: join(directory, REPORT_FILES['public-key']),
    sha256,
  };
};

async function fromStore(
  runId: string,
): Promise<{ readonly lost: readonly LostClass[]; readonly journal?: JournalHead }> {
  // What still waits belongs into the report too; where the store does not answer, this returns at once.
  await recorder().replay();
  const store = recorder().reachableStore;
  if (store === undefined) return { lost: [] };
  try {
    const lost = await lostFromStore(store, runId);
    const journal = headOf(await readJournal(store, runId));
    return journal.entries === 0 ? { lost } : { lost, journal };
  } catch (error) {
    log.warn({ runId, reason: messageOf(error) }, 'the report is written without the store');
    return { lost: [] };
  }
}
