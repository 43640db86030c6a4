/** Arithmetic on WAL segment names (PostgreSQL manual: 30.6 WAL internals; 24 hexadecimal digits: timeline, high, low). */

export interface SegmentName {
  readonly timeline: number;
  /** Position of the segment in the log, counted in segments. */
  readonly index: number;
}

export function parseSegment(name: string, segmentBytes: number): SegmentName {
  const perFile = 0x1_0000_0000 / segmentBytes;
  return {
    timeline: Number.parseInt(name.slice(0, 8), 16),
    index: Number.parseInt(name.slice(8, 16), 16) * perFile + Number.parseInt(name.slice(16, 24), 16),
  };
}

export function formatSegment(segment: SegmentName, segmentBytes: number): string {
  const perFile = 0x1_0000_0000 / segmentBytes;
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
  return `${hex(segment.timeline)}${hex(Math.floor(segment.index / perFile))}${hex(segment.index % perFile)}`;
}

/** Every segment from the first to the last, both included, on the first one's timeline. */
export function segmentsBetween(first: string, last: string, segmentBytes: number): readonly string[] {
  const from = parseSegment(first, segmentBytes);
  const to = parseSegment(last, segmentBytes);
  const names: string[] = [];
  for (let index = from.index; index <= to.index; index++) {
    names.push(formatSegment({ timeline: from.timeline, index }, segmentBytes));
  }
  return names;
}

/** `0/5A001230` as a number that orders positions; exact to 2^53, which is 8 PiB of WAL. */
export function lsnToNumber(lsn: string): number {
  const [high = '0', low = '0'] = lsn.split('/');
  return Number.parseInt(high, 16) * 0x1_0000_0000 + Number.parseInt(low, 16);
}

/** The segment that holds a position. */
export function segmentOf(lsn: string, timeline: number, segmentBytes: number): string {
  return formatSegment({ timeline, index: Math.floor(lsnToNumber(lsn) / segmentBytes) }, segmentBytes);
}
