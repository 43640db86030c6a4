import { chain } from '../../src/store/chain.js';
import { journalBody } from '../../src/store/journal-body.js';
import { recorder } from '../../src/store/recorder.js';
import type { MusterActivities } from '../contract.js';

/**
 * Adds entries to the journal of a run, and anchors them. They are durable when this returns: in the store and in the
 * bucket, or, where one of them does not take them within a moment, in its spool, from which they follow in order. An
 * entry that was delivered before is known.
 *
 * @returns the hash of the last entry in the run's chain
 * @throws TransientError `JournalNotKept` only when neither takes them
 */
export const appendJournal: MusterActivities['appendJournal'] = async ({ run, entries, anchor, after }) => {
  await recorder().append(run, entries, anchor === undefined ? undefined : { anchor, after });
  return (
    chain(
      after,
      entries.map((entry) => journalBody(run, entry)),
    ).at(-1)?.hash ?? after
  );
};

/** Keeps a finished run with the time of each step, for history and for the expectations of later runs. */
export const keepRun: MusterActivities['keepRun'] = async ({ view }) => {
  await recorder().keepRun(view);
};
