/** What people say of files that are lost: since when, until when, and which. */
import { InputError } from '../errors.js';
import type { ObjectLossParams } from '../model/run.js';
import { parseMoment } from './moment.js';

export interface FilesOptions {
  readonly before?: string;
  readonly until?: string;
  readonly prefix?: string;
  readonly deletedOnly?: boolean;
}

/**
 * @param detectedAt ISO 8601
 * @param now milliseconds since 1970
 * @throws InputError for moments that do not follow one another, and for what says nothing without `--before`
 */
export function filesParams(
  { before, until, prefix, deletedOnly }: FilesOptions,
  detectedAt: string,
  now: number,
): ObjectLossParams {
  const damage = deletedOnly === true ? 'deleted' : 'changed';
  if (before === undefined) {
    refuse({ until, prefix, deletedOnly }, 'together with --before; a lost bucket comes back whole');
    return { damage };
  }
  const from = parseMoment(before, '--before', now);
  if (Date.parse(from) > Date.parse(detectedAt)) {
    throw new InputError('The files cannot be known to be good after the disaster was noticed.', [
      { field: '--before', given: from, allowed: `a moment not after --detected-at, ${detectedAt}` },
    ]);
  }
  const to = until === undefined ? undefined : parseMoment(until, '--until', now);
  if (to !== undefined && Date.parse(to) <= Date.parse(from)) {
    throw new InputError('The damage cannot have ended before it began.', [
      { field: '--until', given: to, allowed: `a moment after --before, ${from}` },
    ]);
  }
  return {
    ...{ damage, before: from },
    ...(to === undefined ? {} : { until: to }),
    ...(prefix === undefined ? {} : { prefix }),
  };
}

/** Of every scenario that recovers no files. @throws InputError */
export function refuseFilesOptions(scenario: string, { until, prefix, deletedOnly }: FilesOptions): void {
  refuse({ until, prefix, deletedOnly }, `left out: ${scenario} recovers no files`);
}

interface Given {
  readonly until: string | undefined;
  readonly prefix: string | undefined;
  readonly deletedOnly: boolean | undefined;
}

function refuse({ until, prefix, deletedOnly }: Given, allowed: string): void {
  const given = [
    ['--until', until],
    ['--prefix', prefix],
    ['--deleted-only', deletedOnly === true ? 'given' : undefined],
  ] as const;
  for (const [field, value] of given) {
    if (value !== undefined)
      throw new InputError('This says nothing here.', [{ field, given: value, allowed }]);
  }
}
