import { recorder } from '../../src/store/recorder.js';
import type { MusterActivities } from '../contract.js';

/**
 * Adds entries to the journal of a run. They are durable when this returns: in the store, or, where that does not take
 * them within a moment, in the spool, from which they follow in order. An entry that was delivered before is known.
 *
 * @throws TransientError `JournalNotKept` only when neither takes them
 */
export const appendJournal: MusterActivities['appendJournal'] = async ({ run, entries }) => {
  await recorder().append(run, entries);
};

/** Keeps a finished run with the time of each step, for history and for the expectations of later runs. */
export const keepRun: MusterActivities['keepRun'] = async ({ view }) => {
  await recorder().keepRun(view);
};
