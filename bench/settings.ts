/** How benchmarks are run. */
export interface Settings {
  /** Bytes that the ledger has at least. */
  readonly sizeBytes: number;
  /** How often each side is measured. */
  readonly runs: number;
  /** Progress, a line at a time. */
  readonly say: (line: string) => void;
  /** Details: the times of each part, and what labs say. */
  readonly tell: (line: string) => void;
}
