/** What is written down about a run: the journal, and the warnings that everybody sees. */
import type { JournalEntry } from '../../activities/contract.js';
import type { Decision } from '../../src/model/decision.js';
import type { WarningData } from '../../src/model/journal-data.js';
import type { DecisionView, Fact, RunInput, Warning } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import type { Beside } from './beside.js';
import type { Calls } from './calls.js';
import { JournalWriter } from './journal-writer.js';

/** What is shown of warnings; the journal holds all of them. */
const MOST_WARNINGS = 200;

export interface EntryDetails {
  readonly step?: string;
  readonly by?: string;
  readonly facts?: readonly Fact[];
  readonly data?: unknown;
}

export class Chronicle {
  readonly warnings: Warning[] = [];
  readonly journal: JournalWriter;

  constructor(
    beside: Beside,
    calls: Pick<Calls<unknown>, 'to' | 'ref'>,
    { runbook, adoption }: Pick<RunInput<Runbook, unknown>, 'runbook' | 'adoption'>,
  ) {
    const { anchor } = runbook;
    this.journal = new JournalWriter(
      beside,
      (entries, after) =>
        calls.to('record', 'journal', `journal: ${entries.at(-1)?.text ?? ''}`).appendJournal({
          run: calls.ref,
          entries,
          after,
          ...(anchor === undefined ? {} : { anchor }),
        }),
      adoption === undefined ? undefined : { entries: adoption.entries, hash: adoption.head },
    );
  }

  record(kind: JournalEntry['kind'], text: string, details: EntryDetails = {}): void {
    this.journal.add({ kind, text, facts: [], ...details });
  }

  /** @param data what the journal keeps of it for whoever takes the run over */
  warn(text: string, step?: string, data?: WarningData): void {
    const at = new Date(Date.now()).toISOString();
    this.warnings.push({ at, text });
    // A view has to fit into a message: of many the first and the last are shown.
    if (this.warnings.length > MOST_WARNINGS) {
      const leftOut = { at, text: 'There were more warnings here: the journal holds all of them.' };
      this.warnings.splice(MOST_WARNINGS / 2, 2, leftOut);
    }
    this.record('warning', text, {
      ...(step === undefined ? {} : { step }),
      ...(data === undefined ? {} : { data }),
    });
  }

  /** A decision or proof that was not accepted is written down as well. */
  refused(decision: Decision, channel: DecisionView['channel'], why: string): void {
    const { on, choice, by, origin } = decision;
    this.record('refused', `${choice} ${on} by ${by}, as ${channel}: ${why}`, {
      by,
      facts: Object.entries(origin ?? {}).map(([label, value]) => ({ label, value })),
    });
  }
}
