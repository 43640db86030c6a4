/**
 * The checksum of a page, as PostgreSQL counts it (src/include/storage/checksum_impl.h): FNV-1a in 32 sums beside each other,
 * with a shift that mixes high bits into low ones, over the page with its own checksum taken as 0.
 */

const WORDS = 2048;
const SUMS = 32;
const PRIME = 16_777_619;
const CHECKSUM_WORD = 2;

const OFFSETS = Uint32Array.of(
  ...[0x5b1f36e9, 0xb8525960, 0x02ab50aa, 0x1de66d2a, 0x79ff467a, 0x9bb9f8a3, 0x217e7cd2, 0x83e13d2c],
  ...[0xf8d4474f, 0xe39eb970, 0x42c6ae16, 0x993216fa, 0x7b093b5d, 0x98daff3c, 0xf718902a, 0x0b1c9cdb],
  ...[0xe58f764b, 0x187636bc, 0x5d7b3bb1, 0xe73de7de, 0x92bec979, 0xcca6c0b2, 0x304a0979, 0x85aa43d4],
  ...[0x783125bb, 0x6ca8eaa2, 0xe407eac6, 0x4b5cfc3e, 0x9fbf8c76, 0x15ca20be, 0xf2ca9fd3, 0x959bd756],
);

/**
 * @param page 8192 bytes
 * @param block its number in the relation
 * @returns 1 to 65535
 */
export function pageChecksum(page: Buffer, block: number): number {
  const sums = Uint32Array.from(OFFSETS);
  for (let word = 0; word < WORDS; word++) {
    const value = page.readUInt32LE(word * 4);
    // The checksum is the lower half of its word.
    mix(sums, word % SUMS, word === CHECKSUM_WORD ? (value & 0xffff0000) >>> 0 : value);
  }
  for (let round = 0; round < 2; round++) {
    for (let sum = 0; sum < SUMS; sum++) mix(sums, sum, 0);
  }
  const all = sums.reduce((mixed, sum) => mixed ^ sum, 0);
  return (((all ^ block) >>> 0) % 65_535) + 1;
}

function mix(sums: Uint32Array, sum: number, value: number): void {
  const mixed = ((sums[sum] ?? 0) ^ value) >>> 0;
  sums[sum] = Math.imul(mixed, PRIME) ^ (mixed >>> 17);
}
