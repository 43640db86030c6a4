/**
 * Reading the report of `pgbackrest verify --output=text --verbose`, which exits 0 whatever it finds. Its `status: ok` is
 * not enough either: it is also given to a backup whose manifest is missing.
 */

interface Counted {
  readonly total: number;
  readonly valid: number;
}

/** What verify said of one repository. */
export interface VerifyReport {
  /** True only where the report says so in so many words. */
  readonly ok: boolean;
  /** By archive id, for instance `15-1`. */
  readonly archives: Readonly<Record<string, Counted>>;
  /** By label. */
  readonly backups: Readonly<Record<string, Counted & { readonly status: string }>>;
  /** Lines that name what is wrong beside the counts, for instance `No usable backup.info file`. */
  readonly remarks: readonly string[];
}

export function parseVerifyReport(text: string): VerifyReport {
  const archives: Record<string, Counted> = {};
  const backups: Record<string, Counted & { status: string }> = {};
  const remarks: string[] = [];
  let ok = false;
  for (const line of text.split('\n')) {
    const status = /^status: (\S+)$/.exec(line);
    const archive = /^ {2}archiveId: ([^,]+), total WAL checked: (\d+), total valid WAL: (\d+)/.exec(line);
    const backup =
      /^ {2}backup: ([^,]+), status: ([^,]+), total files checked: (\d+), total valid files: (\d+)/.exec(
        line,
      );
    if (status !== null) ok = status[1] === 'ok';
    else if (archive !== null)
      archives[archive[1] ?? ''] = { total: Number(archive[2]), valid: Number(archive[3]) };
    else if (backup !== null) {
      backups[backup[1] ?? ''] = {
        status: backup[2] ?? '',
        total: Number(backup[3]),
        valid: Number(backup[4]),
      };
    } else if (/^ {2}\S/.test(line)) remarks.push(line.trim());
  }
  return { ok, archives, backups, remarks };
}

/** A file that verify found wrong, from its log at level info. */
export interface WrongFile {
  /** For instance `invalid checksum`, `file missing`. */
  readonly what: string;
  /** In the repository, below `backup/<stanza>` or `archive/<stanza>`; of a duplicate only the segment's name. */
  readonly file: string;
}

export function parseWrongFile(message: string): WrongFile | undefined {
  const quoted = /^(invalid checksum|invalid size|file missing|duplicate WAL)[^']*'([^']+)'/.exec(message);
  const unreadable = /^invalid result (\S+): \[(\d+)\]/.exec(message);
  if (quoted !== null) return { what: quoted[1] ?? '', file: quoted[2] ?? '' };
  return unreadable === null
    ? undefined
    : { what: `unreadable (${unreadable[2]})`, file: unreadable[1] ?? '' };
}
