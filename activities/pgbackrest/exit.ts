/**
 * What pgBackRest's exit codes mean for a recovery. Names are those of its error list (build/error/error.yaml); whether
 * trying again can help was found by trying.
 */
export type ExitMeaning =
  /** Trying the same again may help. */
  | 'retry'
  /** Trying the same again cannot help. */
  | 'permanent'
  /** Not known well enough to go on by itself: a person looks. */
  | 'person';

interface ExitCode {
  readonly name: string;
  readonly meaning: ExitMeaning;
  /** The repository is to blame, so that another one may do. */
  readonly repository?: true;
}

const codes: Readonly<Record<number, ExitCode>> = {
  26: { name: 'checksum', meaning: 'permanent', repository: true },
  27: { name: 'configuration', meaning: 'person' },
  28: { name: 'file invalid', meaning: 'permanent', repository: true },
  29: { name: 'format', meaning: 'permanent', repository: true },
  31: { name: 'option invalid', meaning: 'permanent' },
  32: { name: 'option value invalid', meaning: 'permanent' },
  37: { name: 'option required', meaning: 'permanent' },
  38: { name: 'server running', meaning: 'permanent' },
  39: { name: 'protocol', meaning: 'person', repository: true },
  40: { name: 'path not empty', meaning: 'permanent' },
  41: { name: 'file open', meaning: 'person', repository: true },
  42: { name: 'file read', meaning: 'person', repository: true },
  49: { name: 'host not reachable', meaning: 'retry', repository: true },
  50: { name: 'lock held', meaning: 'retry' },
  51: { name: 'backup belongs to another cluster', meaning: 'permanent', repository: true },
  55: { name: 'file missing', meaning: 'person', repository: true },
  56: { name: 'database not reachable', meaning: 'retry' },
  58: { name: 'database mismatch', meaning: 'permanent' },
  62: { name: 'stopped by a stop file', meaning: 'person' },
  63: { name: 'ended by a signal', meaning: 'retry' },
  64: { name: 'file write', meaning: 'person' },
  66: { name: 'protocol timeout', meaning: 'person', repository: true },
  75: { name: 'backup set invalid', meaning: 'permanent', repository: true },
  82: { name: 'archive timeout', meaning: 'retry' },
  87: { name: 'archiving disabled', meaning: 'person' },
  95: { name: 'decryption', meaning: 'permanent', repository: true },
  99: { name: 'JSON format', meaning: 'person', repository: true },
  101: { name: 'service', meaning: 'retry', repository: true },
  102: { name: 'execute', meaning: 'person' },
  103: { name: 'no usable repository', meaning: 'retry', repository: true },
};

/** What an exit code of pgBackRest means; unknown ones are for a person. */
export function meaningOfExit(code: number): ExitCode {
  return codes[code] ?? { name: `code ${code}`, meaning: 'person' };
}
