/** Reading what pg_checksums prints (C locale). */

export interface ChecksumReport {
  readonly files: number;
  readonly blocks: number;
  readonly bad: number;
  /** The first pages that are bad. */
  readonly named: readonly { readonly file: string; readonly block: number }[];
  /** What kept it from checking. */
  readonly errors: readonly string[];
}

export function parseChecksums(stdout: string, stderr: string): ChecksumReport {
  const count = (label: string) => Number(new RegExp(`^${label}: *(\\d+)`, 'm').exec(stdout)?.[1] ?? 0);
  const named: { file: string; block: number }[] = [];
  const errors: string[] = [];
  for (const line of stderr.split('\n')) {
    const page = /checksum verification failed in file "([^"]+)", block (\d+)/.exec(line);
    if (page !== null) {
      if (named.length < 20) named.push({ file: page[1] ?? '', block: Number(page[2]) });
      continue;
    }
    const error = /^pg_checksums: error: (.+)$/.exec(line)?.[1];
    if (error !== undefined) errors.push(error);
  }
  return {
    files: count('Files scanned'),
    blocks: count('Blocks scanned'),
    bad: Math.max(count('Bad checksums'), named.length),
    named,
    errors,
  };
}
