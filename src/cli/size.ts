import { InputError } from '../errors.js';

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

const LARGEST_BYTES = 200e9;

/**
 * A size as people write it: `500MB`, `2 GB`, `1.5GiB`, bytes where no unit is given.
 *
 * @param option named in the error
 * @returns bytes
 * @throws InputError
 */
export function parseSize(option: string, given: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(given.trim()) ?? [];
  const bytes = Math.round(Number(number) * (units[unit.toLowerCase()] ?? Number.NaN));
  if (number !== '' && bytes >= 0 && bytes <= LARGEST_BYTES) return bytes;
  throw new InputError('This is no size.', [
    { field: option, given, allowed: 'a number and kB, MB, GB, KiB, MiB or GiB, up to 200 GB, such as 2GB' },
  ]);
}
