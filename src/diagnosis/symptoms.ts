/** What was seen of a system, as plain data: what the judgement rests on. */

/** `silent`: nobody answers; `unseen`: Muster cannot look from here, which says nothing of it. */
type Absent = 'silent' | 'unseen';

/** Where something is, as the runbook says: `us-west-2/us-west-2a`. */
interface Located {
  readonly failureDomain: string;
}

export interface PrimarySeen extends Located {
  readonly site: string;
  readonly region: string;
  /** The site that the runbook calls primary; another one where the system runs elsewhere since a recovery. */
  readonly home: string;
  readonly state: 'writes' | 'refuses-writes' | 'in-recovery' | 'denied' | Absent;
  /** Titles of invariants that do not hold. */
  readonly broken: readonly string[];
  /** Names of invariants that gave no answer in the time there was. */
  readonly unasked: readonly string[];
  /** Superusers that the runbook does not know. */
  readonly strangers: readonly string[];
}

export interface StandbySeen extends Located {
  readonly site: string;
  /** `streams`: it hears its primary now; `waits`: it does not, and can take over; `promoted`: it takes writes. */
  readonly state: 'streams' | 'waits' | 'promoted' | Absent;
  /** Between its newest commit and when it last heard of the primary; null: not known. */
  readonly lagMs: number | null;
}

export interface CopySeen extends Located {
  readonly title: string;
  /** `gap`: it can be restored, not to its end. */
  readonly state: 'usable' | 'gap' | 'empty' | 'unreadable' | Absent;
  /** The newest state that it leads to, ISO 8601; null: not known. */
  readonly newest: string | null;
}

export interface BucketSeen extends Located {
  readonly store: string;
  readonly which: 'primary' | 'secondary';
  readonly state: 'there' | 'gone' | Absent;
  readonly versioned: boolean;
  /** Files that the newest rows name and that are not there. */
  readonly missing: number;
}

export interface RecordSeen {
  readonly record: string;
  /** `disagree`: resolvers answer differently; `nowhere`: an answer that leads to no site of the runbook. */
  readonly state: 'leads' | 'disagree' | 'nowhere' | 'silent';
  /** Where it leads. */
  readonly site?: string;
}

export interface ApplicationSeen {
  readonly name: string;
  readonly health: 'healthy' | 'unhealthy' | 'silent';
  /** Titles of functions that fail although they only read. */
  readonly failing: readonly string[];
}

export interface Symptoms {
  readonly primary: PrimarySeen;
  readonly standbys: readonly StandbySeen[];
  readonly copies: readonly CopySeen[];
  readonly buckets: readonly BucketSeen[];
  readonly records: readonly RecordSeen[];
  readonly applications: readonly ApplicationSeen[];
  readonly vault: 'answers' | Absent;
  /** A recovery that has fenced the system and neither promoted a copy nor was called off. */
  readonly underWay?: { readonly runId: string; readonly at: string };
}

/** One thing that was looked at, for people. */
export interface Finding {
  /** For instance `primary west`, `repository 1 (S3 us-west-2)`. */
  readonly subject: string;
  readonly verdict: 'fine' | 'wrong' | 'unknown';
  /** What was seen, one sentence without a full stop. */
  readonly saw: string;
  readonly tookMs: number;
}
