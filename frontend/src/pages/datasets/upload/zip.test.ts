import { describe, expect, it } from 'vitest';
import { crc32 } from './crc32';
import { type Entry, FileTooLarge, FolderZip } from './zip';

const utf8 = new TextEncoder();

/** jsdom's Blob has no arrayBuffer: what the zip needs of one. */
function blobOf(data: Uint8Array): Blob {
  const part = (from = 0, to = data.length): Blob => blobOf(data.subarray(from, Math.min(to, data.length)));
  const arrayBuffer = async () => data.slice().buffer;
  return { size: data.length, slice: part, arrayBuffer } as unknown as Blob;
}

const entry = (path: string, data: string | Uint8Array): Entry => ({
  path,
  file: blobOf(typeof data === 'string' ? utf8.encode(data) : data),
});

/** `expect` takes too long for 70,000 of them. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`This is not ${what}.`);
}

/** What a reader that goes by the directory at the end finds, local headers compared with it. */
function read(zip: Uint8Array): Record<string, Uint8Array> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.length);
  const end = zip.length - 22;
  expect(view.getUint32(end, true)).toBe(0x06054b50);
  let count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff) {
    expect(view.getUint32(end - 20, true)).toBe(0x07064b50);
    const far = Number(view.getBigUint64(end - 12, true));
    expect(view.getUint32(far, true)).toBe(0x06064b50);
    count = Number(view.getBigUint64(far + 32, true));
    at = Number(view.getBigUint64(far + 48, true));
  }
  const found: Record<string, Uint8Array> = {};
  for (let n = 0; n < count; n++) {
    must(view.getUint32(at, true) === 0x02014b50, 'an entry of the directory');
    const length = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(zip.subarray(at + 46, at + 46 + length));
    const local = view.getUint32(at + 42, true);
    must(view.getUint32(local, true) === 0x04034b50, 'a local header');
    must(
      zip.subarray(local + 6, local + 28).every((byte, n) => byte === zip[at + 8 + n]),
      'the same said twice',
    );
    const size = view.getUint32(at + 20, true);
    const data = zip.subarray(local + 30 + length, local + 30 + length + size);
    must(crc32(data) === view.getUint32(at + 16, true), 'its checksum');
    found[name] = data;
    at += 46 + length + view.getUint16(at + 30, true);
  }
  return found;
}

describe('crc32', () => {
  it('is the checksum that everyone else computes', () => {
    expect(crc32(utf8.encode('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });

  it('goes on where it stopped', () => {
    expect(crc32(utf8.encode('6789'), crc32(utf8.encode('12345')))).toBe(0xcbf43926);
  });
});

describe('FolderZip', () => {
  const entries = [
    entry(
      'train/고양이/b.jpg',
      Uint8Array.from({ length: 5000 }, (_, n) => (n * 7) % 251),
    ),
    entry('data.yaml', 'names: [cat]\n'),
    entry('train/empty.txt', ''),
  ];

  it('is a zip with each file in it, in order of their paths', async () => {
    const zip = new FolderZip(entries);
    const found = read(await zip.read(0, zip.size));
    expect(Object.keys(found)).toEqual(['data.yaml', 'train/empty.txt', 'train/고양이/b.jpg']);
    expect(new TextDecoder().decode(found['data.yaml'])).toBe('names: [cat]\n');
    expect(found['train/고양이/b.jpg']).toHaveLength(5000);
  });

  it('is the same however it is cut, and wherever one begins', async () => {
    const zip = new FolderZip(entries);
    const whole = await zip.read(0, zip.size);
    for (const size of [1, 29, 100, 4096]) {
      const again = new FolderZip(entries.toReversed());
      const pieces = new Uint8Array(zip.size);
      // from the end: as after a reload, when nothing before was read
      for (let at = Math.floor((zip.size - 1) / size) * size; at >= 0; at -= size)
        pieces.set(await again.read(at, at + size), at);
      expect(pieces).toEqual(whole);
    }
  });

  it('counts more files than 16 bits can', async () => {
    const many = Array.from({ length: 70_000 }, (_, n) => entry(`train/${n}.txt`, 'x'));
    const zip = new FolderZip(many);
    expect(Object.keys(read(await zip.read(0, zip.size)))).toHaveLength(70_000);
  }, 30_000);

  it('tells where files lie beyond 4 GB', async () => {
    const large = (path: string): Entry => ({ path, file: { size: 3e9 } as Blob });
    const zip = new FolderZip([large('a'), large('b'), entry('c', 'x')]);
    Object.assign(zip, { checksums: [1, 2, 3] });
    const directory = await zip.read(zip.size - 22 - 76 - 3 * 47 - 12, zip.size);
    const view = new DataView(directory.buffer);
    expect(view.getUint32(0, true)).toBe(0x02014b50);
    const third = 2 * 47;
    expect(view.getUint32(third + 42, true)).toBe(0xffffffff);
    expect(view.getBigUint64(third + 47 + 4, true)).toBe(BigInt(2 * (3e9 + 31)));
    expect(view.getUint32(3 * 47 + 12, true)).toBe(0x06064b50);
  });

  it('refuses a file that needs more', () => {
    expect(() => new FolderZip([{ path: 'a', file: { size: 2 ** 32 } as Blob }])).toThrow(FileTooLarge);
  });
});
