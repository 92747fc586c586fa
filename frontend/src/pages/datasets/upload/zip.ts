/** A zip of a folder's files that is never whole anywhere: any part of it is made when it is asked for, so that an
 * upload can send it in pieces, and go on in the middle. Files are stored as they are (pictures are compressed already),
 * in order of their paths and without dates: the same files are the same zip. Sizes beyond 32 bits as zip64 says.
 */
import { crc32 } from './crc32';

export type Entry = { path: string; file: Blob };

const LOCAL = 30;
const CENTRAL = 46;
const END = 22;
const END_64 = 56 + 20;
const MAX_32 = 0xffffffff;
const MAX_16 = 0xffff;
const UTF8 = 0x800;
const MIDNIGHT_1980 = 0x21 << 16;
const UNIX_FILE = 0o100644 << 16;
const KEPT_WHOLE = 16 * 2 ** 20;
const SLICE = 2 ** 20;

export class FileTooLarge extends Error {}

export class FolderZip {
  readonly size: number;
  private readonly entries: Entry[];
  private readonly names: Uint8Array[];
  private readonly starts: Float64Array;
  private readonly directoryStart: number;
  private readonly directorySize: number;
  private readonly checksums: (number | undefined)[] = [];
  private directory: Promise<Uint8Array> | undefined;
  private whole: { index: number; data: Uint8Array } | undefined;

  /** Throws FileTooLarge for a file of 4 GB or more. */
  constructor(entries: Entry[]) {
    this.entries = entries.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    const utf8 = new TextEncoder();
    this.names = this.entries.map((entry) => utf8.encode(entry.path));
    this.starts = new Float64Array(entries.length + 1);
    let at = 0;
    let directory = 0;
    this.entries.forEach(({ path, file }, index) => {
      if (file.size >= MAX_32) throw new FileTooLarge(path);
      this.starts[index] = at;
      directory += CENTRAL + this.nameOf(index).length + (at >= MAX_32 ? 12 : 0);
      at += LOCAL + this.nameOf(index).length + file.size;
    });
    this.starts[entries.length] = at;
    this.directoryStart = at;
    this.directorySize = directory;
    this.size = at + directory + (this.isLarge() ? END_64 : 0) + END;
  }

  /** The bytes from `start` up to `end`. Rejects where a file can't be read any more, or has changed. */
  async read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const made = new Uint8Array(Math.min(end, this.size) - start);
    let at = start;
    while (at < start + made.length) {
      const part = await this.partAt(at, start + made.length - at);
      made.set(part, at - start);
      at += part.length;
    }
    return made;
  }

  /** Some bytes, at least one and at most `most`, beginning at `at`. */
  private async partAt(at: number, most: number): Promise<Uint8Array> {
    if (at >= this.directoryStart) {
      this.directory ??= this.makeDirectory();
      const from = at - this.directoryStart;
      return (await this.directory).subarray(from, from + most);
    }
    const index = this.indexAt(at);
    const inside = at - this.startOf(index);
    const head = LOCAL + this.nameOf(index).length;
    if (inside < head) return (await this.makeHeader(index)).subarray(inside, inside + most);
    return this.dataOf(index, inside - head, Math.min(this.fileOf(index).size, inside - head + most));
  }

  /** The last entry that begins at `at` or before. */
  private indexAt(at: number): number {
    let low = 0;
    let high = this.entries.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.startOf(middle) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private async dataOf(index: number, from: number, to: number): Promise<Uint8Array> {
    const file = this.fileOf(index);
    if (file.size > KEPT_WHOLE) return bytesOf(file.slice(from, Math.min(to, from + SLICE)));
    if (this.whole?.index !== index) this.whole = { index, data: await bytesOf(file) };
    return this.whole.data.subarray(from, to);
  }

  private async checksum(index: number): Promise<number> {
    const known = this.checksums[index];
    if (known !== undefined) return known;
    const { size } = this.fileOf(index);
    let sum = 0;
    for (let at = 0; at < size; ) {
      const part = await this.dataOf(index, at, Math.min(size, at + SLICE));
      sum = crc32(part, sum);
      at += part.length;
    }
    this.checksums[index] = sum;
    return sum;
  }

  private async makeHeader(index: number): Promise<Uint8Array> {
    const name = this.nameOf(index);
    const { size } = this.fileOf(index);
    const made = new Uint8Array(LOCAL + name.length);
    const view = new DataView(made.buffer);
    view.setUint32(0, 0x04034b50, true);
    view.setUint16(4, 20, true);
    this.describe(view, 6, await this.checksum(index), size, name.length);
    made.set(name, LOCAL);
    return made;
  }

  /** What a local header and the directory say alike: flags, method, date, checksum, sizes, the name's length. */
  private describe(view: DataView, at: number, sum: number, size: number, name: number): void {
    view.setUint16(at, UTF8, true);
    view.setUint32(at + 4, MIDNIGHT_1980, true);
    view.setUint32(at + 8, sum, true);
    view.setUint32(at + 12, size, true);
    view.setUint32(at + 16, size, true);
    view.setUint16(at + 20, name, true);
  }

  private async makeDirectory(): Promise<Uint8Array> {
    const made = new Uint8Array(this.size - this.directoryStart);
    const view = new DataView(made.buffer);
    let at = 0;
    for (let index = 0; index < this.entries.length; index++) {
      const name = this.nameOf(index);
      const start = this.startOf(index);
      const far = start >= MAX_32;
      view.setUint32(at, 0x02014b50, true);
      view.setUint16(at + 4, (3 << 8) | 45, true); // made as on Unix
      view.setUint16(at + 6, far ? 45 : 20, true);
      this.describe(view, at + 8, await this.checksum(index), this.fileOf(index).size, name.length);
      view.setUint16(at + 30, far ? 12 : 0, true);
      view.setUint32(at + 38, UNIX_FILE >>> 0, true);
      view.setUint32(at + 42, far ? MAX_32 : start, true);
      made.set(name, at + CENTRAL);
      at += CENTRAL + name.length;
      if (!far) continue;
      view.setUint16(at, 1, true);
      view.setUint16(at + 2, 8, true);
      view.setBigUint64(at + 4, BigInt(start), true);
      at += 12;
    }
    this.writeEnd(view, at);
    return made;
  }

  private writeEnd(view: DataView, from: number): void {
    let at = from;
    const count = this.entries.length;
    if (this.isLarge()) {
      view.setUint32(at, 0x06064b50, true);
      view.setBigUint64(at + 4, 44n, true);
      view.setUint16(at + 12, (3 << 8) | 45, true);
      view.setUint16(at + 14, 45, true);
      view.setBigUint64(at + 24, BigInt(count), true);
      view.setBigUint64(at + 32, BigInt(count), true);
      view.setBigUint64(at + 40, BigInt(this.directorySize), true);
      view.setBigUint64(at + 48, BigInt(this.directoryStart), true);
      view.setUint32(at + 56, 0x07064b50, true);
      view.setBigUint64(at + 64, BigInt(this.directoryStart + this.directorySize), true);
      view.setUint32(at + 72, 1, true);
      at += END_64;
    }
    view.setUint32(at, 0x06054b50, true);
    view.setUint16(at + 8, Math.min(count, MAX_16), true);
    view.setUint16(at + 10, Math.min(count, MAX_16), true);
    view.setUint32(at + 12, Math.min(this.directorySize, MAX_32), true);
    view.setUint32(at + 16, Math.min(this.directoryStart, MAX_32), true);
  }

  private isLarge(): boolean {
    return this.entries.length >= MAX_16 || this.directoryStart >= MAX_32 || this.directorySize >= MAX_32;
  }

  private nameOf(index: number): Uint8Array {
    return this.names[index] ?? new Uint8Array();
  }

  private startOf(index: number): number {
    return this.starts[index] ?? 0;
  }

  private fileOf(index: number): Blob {
    return this.entries[index]?.file ?? new Blob();
  }
}

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}
