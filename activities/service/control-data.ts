import { PermanentError } from '../../src/errors.js';

/** What pg_controldata says of a data directory. */
export interface ControlData {
  /** Kept as text: larger than a double holds exactly. */
  readonly systemIdentifier: string;
  /** For instance `shut down in recovery`, `in production`, `in archive recovery`. */
  readonly state: string;
  readonly timeline: number;
  /** Where the record of the latest checkpoint begins; after a clean shutdown it is the last record of all. */
  readonly checkpointLsn: string;
  /** Where replay would begin: every page that was changed before it has been written. */
  readonly redoLsn: string;
  /** Replay has to come at least this far before the data are consistent; `0/0` outside of a recovery. */
  readonly minimumRecoveryEnd: string;
  /** 0 outside of a recovery. */
  readonly minimumRecoveryTimeline: number;
  /** True while the end of a base backup has not been reached: the files are not consistent. */
  readonly insideBackup: boolean;
  /** 0: the cluster was made without page checksums. */
  readonly checksumVersion: number;
  readonly walSegmentBytes: number;
}

/**
 * Reads the output of pg_controldata (run with the C locale).
 *
 * @throws PermanentError `ControlDataUnreadable` when a line that is needed is missing
 */
export function parseControlData(text: string): ControlData {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  const need = (label: string): string => {
    const value = values.get(label);
    if (value !== undefined && value !== '') return value;
    throw new PermanentError('ControlDataUnreadable', `pg_controldata does not say "${label}".`, {
      next: 'Run pg_controldata on the data directory by hand and look at global/pg_control.',
    });
  };
  return {
    systemIdentifier: need('Database system identifier'),
    state: need('Database cluster state'),
    timeline: Number(need("Latest checkpoint's TimeLineID")),
    checkpointLsn: need('Latest checkpoint location'),
    redoLsn: need("Latest checkpoint's REDO location"),
    minimumRecoveryEnd: need('Minimum recovery ending location'),
    minimumRecoveryTimeline: Number(need("Min recovery ending loc's timeline")),
    insideBackup: need('End-of-backup record required') !== 'no' || need('Backup start location') !== '0/0',
    checksumVersion: Number(need('Data page checksum version')),
    walSegmentBytes: Number(need('Bytes per WAL segment')),
  };
}
