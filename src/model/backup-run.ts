/** A run that takes backups: what it is asked for, and what it reports. Plain data only. */
import type { Runbook } from '../runbook/schema.js';

/** pgBackRest's kinds; an archive is always of everything that the runbook says. */
export const backupTypes = ['full', 'diff', 'incr'] as const;
export type BackupType = (typeof backupTypes)[number];

export interface BackupRunInput {
  readonly runId: string;
  readonly requestedBy: string;
  readonly runbook: Runbook;
  /** Of `backups`, in the order in which they are taken. */
  readonly names: readonly string[];
  /** Of backups whose driver is pgbackrest; left out: full. */
  readonly type?: BackupType;
}

/** Something that is not as the owner wants it. */
export interface BackupFinding {
  /** `critical`: a backup is missing, or not to be relied on; `warning`: somebody should look. */
  readonly severity: 'critical' | 'warning';
  /** Name in the runbook. */
  readonly backup: string;
  readonly what: string;
  readonly next: string;
}

/** What was made, and what was seen of it afterwards in each of its places. */
export interface BackupMade {
  readonly backup: string;
  readonly driver: 'pgbackrest' | 'archive';
  /** Absent where nothing was made. */
  readonly label?: string;
  /** As it is stored, in one place. */
  readonly bytes?: number;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly durationMs: number;
  readonly summary: string;
  readonly places: readonly PlaceSeen[];
}

export interface PlaceSeen {
  readonly title: string;
  /** Whether what was made is there and whole. */
  readonly sound: boolean;
  readonly says: string;
}

export interface BackupRunResult {
  readonly runId: string;
  readonly system: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly made: readonly BackupMade[];
  readonly findings: readonly BackupFinding[];
  readonly summary: string;
}
