import { recorder } from '../../src/store/recorder.js';
import type { MusterActivities } from '../contract.js';

/**
 * Adds entries to the journal of a run, and anchors them. They are durable when this returns: in the store and in the
 * bucket, or, where one of them does not take them within a moment, in its spool, from which they follow in order. An
 * entry that was delivered before is known.
 *
 * @throws TransientError `JournalNotKept` only when neither takes them
 */
export const appendJournal: MusterActivities['appendJournal'] = async ({ run, entries, anchor, after }) => {
  const place = anchor === undefined || after === undefined ? undefined : { anchor, after };
  await recorder().append(run, entries, place);
};

/** Keeps a finished run with the time of each step, for history and for the expectations of later runs. */
export const keepRun: MusterActivities['keepRun'] = async ({ view }) => {
  await recorder().keepRun(view);
};
