/** The checksum of zips, four bytes a step. */

const TABLES = makeTables();

function makeTables(): [Uint32Array, Uint32Array, Uint32Array, Uint32Array] {
  const [one, two, three, four] = [0, 1, 2, 3].map(() => new Uint32Array(256)) as ReturnType<typeof makeTables>;
  for (let n = 0; n < 256; n++) {
    let value = n;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    one[n] = value;
  }
  const next = (value: number) => (value >>> 8) ^ (one[value & 255] ?? 0);
  for (let n = 0; n < 256; n++) {
    two[n] = next(one[n] ?? 0);
    three[n] = next(two[n] ?? 0);
    four[n] = next(three[n] ?? 0);
  }
  return [one, two, three, four];
}

/** Go on with `before`, the checksum of what came before. */
export function crc32(data: Uint8Array, before = 0): number {
  const [one, two, three, four] = TABLES;
  let crc = ~before;
  let at = 0;
  for (const end = data.length - 3; at < end; at += 4) {
    crc ^= byte(data, at) | (byte(data, at + 1) << 8) | (byte(data, at + 2) << 16) | (byte(data, at + 3) << 24);
    crc =
      (four[crc & 255] ?? 0) ^
      (three[(crc >>> 8) & 255] ?? 0) ^
      (two[(crc >>> 16) & 255] ?? 0) ^
      (one[crc >>> 24] ?? 0);
  }
  for (; at < data.length; at++) crc = (crc >>> 8) ^ (one[(crc ^ byte(data, at)) & 255] ?? 0);
  return ~crc >>> 0;
}

const byte = (data: Uint8Array, at: number) => data[at] ?? 0;
