import { PermanentError, TransientError } from '../errors.js';

const OTHER =
  'Take another copy of this archive, or an older one; keep the damaged one for whoever finds out why.';

/** A file of an archive that is not what was written. */
export function damaged(file: string, why: string, cause?: unknown): PermanentError {
  return new PermanentError('ArchiveDamaged', `${file} is damaged: it ${why}.`, {
    why: 'What stands there is not what was written when the archive was made.',
    next: OTHER,
    details: { file },
    ...(cause === undefined ? {} : { cause }),
  });
}

export function missing(file: string): PermanentError {
  return new PermanentError('ArchiveIncomplete', `${file} is missing.`, {
    why: 'The manifest of the archive names it: it was deleted, or never copied.',
    next: OTHER,
    details: { file },
  });
}

export function wrongKey(file: string, cause: unknown): PermanentError {
  return new PermanentError(
    'WrongArchiveKey',
    `${file} cannot be decrypted: it is not for any of the keys at hand, or its header was changed.`,
    {
      why: 'None of the private keys that the runbook refers to (backups.<name>.identities) belongs to it.',
      next: 'Provide the private key of one of the recipients that its manifest names, then retry the step.',
      details: { file },
      cause,
    },
  );
}

/** A sound archive, but of something else. */
export function foreign(file: string, what: string, why: string): PermanentError {
  return new PermanentError('ForeignArchive', `${file} is not the archive that was asked for: ${what}.`, {
    why,
    next: 'Nothing was restored. Name the right place, system and archive, then retry the step.',
    details: { file },
  });
}

export function unreachable(place: string, what: string, cause: unknown): TransientError {
  return new TransientError('ArchiveUnreachable', `${place} does not answer: ${what}.`, {
    next: 'See whether it can be reached; the step tries again by itself for a while.',
    cause,
  });
}

export function denied(place: string, what: string, cause: unknown): PermanentError {
  return new PermanentError('ArchiveDenied', `${place} refuses: ${what}.`, {
    next: 'Check its keys and rights and the clock of this machine, then retry the step.',
    cause,
  });
}

/** Another copy of the same archive may do where this is thrown. */
export function isFaultOfCopy(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && FAULTS_OF_COPY.has(code);
}

const FAULTS_OF_COPY = new Set([
  'ArchiveDamaged',
  'ArchiveIncomplete',
  'ArchiveNotFound',
  'ArchiveUnreachable',
  'ArchiveDenied',
  'ForeignArchive',
  'WrongArchiveKey',
]);
