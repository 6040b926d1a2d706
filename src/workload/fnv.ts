/** The FNV-1 hash as YCSB uses it to scramble zipfian ranks. Called per operation; pure. */

const OFFSET_BASIS_HIGH = 0xcbf29ce4;
const OFFSET_BASIS_LOW = 0x84222325;
/** The 64-bit FNV prime is 2^40 + 435. */
const PRIME_LOW = 435;

/**
 * HOT: YCSB's `fnvhash64(value) % bound`: eight octets xor-multiplied into 64 bits, taken as a signed number's absolute value.
 * @param value an integer in 0..2^32-1
 * @param bound an integer in 1..2^31
 */
export function fnv64Below(value: number, bound: number): number {
  let high = OFFSET_BASIS_HIGH;
  let low = OFFSET_BASIS_LOW;
  for (let octet = 0; octet < 8; octet++) {
    if (octet < 4) low = (low ^ ((value >>> (8 * octet)) & 0xff)) >>> 0;
    const lowProduct = low * PRIME_LOW;
    high = (Math.imul(high, PRIME_LOW) + Math.floor(lowProduct / 0x1_0000_0000) + (low << 8)) >>> 0;
    low = lowProduct >>> 0;
  }
  if (high >= 0x8000_0000) {
    low = ~low >>> 0;
    high = ~high >>> 0;
    low += 1;
    if (low === 0x1_0000_0000) {
      low = 0;
      high += 1;
    }
  }
  let rest = high % bound;
  rest = (rest * 65536 + (low >>> 16)) % bound;
  return (rest * 65536 + (low & 0xffff)) % bound;
}
