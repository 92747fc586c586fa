/** A log's bytes as lines, in few large pieces: a million lines cost little more than their bytes. Lines have ids that
 * stay theirs when older ones are put before them. Nothing is parsed until it is looked at. Pure. */

const NEWLINE = 10;
const RETURN = 13;
const SEALED = 256 * 1024; // bytes after which the growing piece is closed and another begun
const OVERWRITTEN = 64 * 1024; // bytes of a line that is not over, before what was overwritten of it is let go

/** `starts`: where each line begins; the last one may be open (without its newline) in the newest piece only. */
type Piece = { bytes: Uint8Array; used: number; starts: Uint32Array; lines: number };

const decoder = new TextDecoder();

export class LogText {
  private pieces: Piece[] = [];
  /** The id of the oldest line that is here. */
  first = 0;
  /** One more than the id of the newest line; the newest may still be written. */
  end = 0;
  /** Whether the newest line has its newline. */
  closed = true;

  get length(): number {
    return this.end - this.first;
  }

  /** Bytes of memory. */
  get held(): number {
    return this.pieces.reduce((sum, piece) => sum + piece.bytes.byteLength + piece.starts.byteLength, 0);
  }

  /** What comes after all that is here. It may begin and end anywhere. */
  append(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      // whole lines fill a piece; what does not fit begins the next
      const upTo = Math.min(bytes.length, at + SEALED);
      this.grow(bytes.subarray(at, upTo));
      at = upTo;
    }
  }

  /** What comes before all that is here: its last line and our first one are one if it has no newline. */
  prepend(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const oldest = this.pieces[0];
    if (oldest === undefined) {
      this.append(bytes);
      return;
    }
    let whole = bytes;
    const joined = bytes[bytes.length - 1] !== NEWLINE;
    if (joined) {
      const cut = oldest.lines > 1 ? start(oldest, 1) : oldest.used;
      whole = new Uint8Array(bytes.length + cut);
      whole.set(bytes);
      whole.set(oldest.bytes.subarray(0, cut), bytes.length);
      this.dropFirstLine(oldest, cut);
    }
    const made = pieceOf(whole);
    this.pieces.unshift(made);
    this.first -= made.lines - (joined ? 1 : 0);
  }

  /** A line as it was written, without its newline; of what was overwritten by carriage returns only how it ended.
   * At most so many bytes of it. */
  line(id: number, most = Number.POSITIVE_INFINITY): { text: string; more: number } {
    const found = this.find(id);
    if (found === null) return { text: '', more: 0 };
    const { piece, index } = found;
    const [from, to] = folded(piece, index);
    const upTo = wholeCharacters(piece.bytes, from, Math.min(to, from + most), to);
    return { text: decoder.decode(piece.bytes.subarray(from, upTo)), more: to - upTo };
  }

  /** Lines from `id` on as one text, newlines between; as many as lie in one piece, at most `most`. */
  block(id: number, most: number): { text: string; lines: number } {
    const found = this.find(id);
    if (found === null) return { text: '', lines: 0 };
    const { piece, index } = found;
    const lines = Math.min(most, piece.lines - index);
    const to = index + lines < piece.lines ? start(piece, index + lines) : piece.used;
    return { text: decoder.decode(piece.bytes.subarray(start(piece, index), to)), lines };
  }

  private find(id: number): { piece: Piece; index: number } | null {
    if (id < this.first || id >= this.end) return null;
    // most looks are near one of the ends
    if (id - this.first < this.end - id) {
      let before = this.first;
      for (const piece of this.pieces) {
        if (id < before + piece.lines) return { piece, index: id - before };
        before += piece.lines;
      }
      return null;
    }
    let after = this.end;
    for (let n = this.pieces.length - 1; n >= 0; n--) {
      const piece = this.pieces[n];
      if (piece === undefined) return null;
      after -= piece.lines;
      if (id >= after) return { piece, index: id - after };
    }
    return null;
  }

  private grow(bytes: Uint8Array): void {
    const piece = this.open(bytes.length);
    const before = piece.lines;
    let fresh = this.closed;
    for (let n = 0; n < bytes.length; n++) {
      if (fresh) {
        addStart(piece, piece.used + n);
        fresh = false;
      }
      if (bytes[n] === NEWLINE) fresh = true;
    }
    piece.bytes.set(bytes, piece.used);
    piece.used += bytes.length;
    this.end += piece.lines - before;
    this.closed = fresh;
    if (!fresh) forgetOverwritten(piece);
  }

  /** The piece to add to, with room. */
  private open(room: number): Piece {
    let newest = this.pieces.at(-1);
    if (newest === undefined || (this.closed && newest.used + room > SEALED)) {
      if (newest !== undefined) trim(newest);
      newest = { bytes: new Uint8Array(Math.max(4_096, room)), used: 0, starts: new Uint32Array(64), lines: 0 };
      this.pieces.push(newest);
    } else if (newest.used >= SEALED && newest.lines > 1) {
      newest = this.moveOpenLine(newest);
    }
    if (newest.used + room > newest.bytes.length) {
      const larger = new Uint8Array(
        Math.max(newest.used + room, Math.min(newest.bytes.length * 2, newest.used + SEALED)),
      );
      larger.set(newest.bytes.subarray(0, newest.used));
      newest.bytes = larger;
    }
    return newest;
  }

  /** The line that is not over begins a piece of its own. */
  private moveOpenLine(full: Piece): Piece {
    const from = start(full, full.lines - 1);
    const rest = full.bytes.slice(from, full.used);
    full.used = from;
    full.lines -= 1;
    trim(full);
    const made: Piece = { bytes: rest, used: rest.length, starts: new Uint32Array(64), lines: 1 };
    this.pieces.push(made);
    return made;
  }

  private dropFirstLine(piece: Piece, cut: number): void {
    if (piece.lines <= 1) {
      // it was all there is: if it is open, the joined one is
      this.pieces.shift();
      return;
    }
    piece.bytes = piece.bytes.slice(cut, piece.used);
    piece.used -= cut;
    piece.starts = piece.starts.slice(1, piece.lines).map((at) => at - cut);
    piece.lines -= 1;
  }
}

/** A piece of these very bytes: nothing is copied. */
function pieceOf(bytes: Uint8Array): Piece {
  let lines = bytes.length > 0 ? 1 : 0;
  for (let at = 0; at < bytes.length - 1; at++) if (bytes[at] === NEWLINE) lines += 1;
  const starts = new Uint32Array(lines);
  let line = 1;
  for (let at = 0; at < bytes.length - 1; at++) if (bytes[at] === NEWLINE) starts[line++] = at + 1;
  return { bytes, used: bytes.length, starts, lines };
}

function start(piece: Piece, index: number): number {
  return piece.starts[index] ?? piece.used;
}

function addStart(piece: Piece, at: number): void {
  if (piece.lines === piece.starts.length) {
    const larger = new Uint32Array(Math.max(64, piece.starts.length * 2));
    larger.set(piece.starts);
    piece.starts = larger;
  }
  piece.starts[piece.lines] = at;
  piece.lines += 1;
}

/** Give back the room that was kept for growing. */
function trim(piece: Piece): void {
  piece.bytes = piece.bytes.slice(0, piece.used);
  piece.starts = piece.starts.slice(0, piece.lines);
}

/** Where the visible part of a line begins and ends: behind its last carriage return that something follows. */
function folded(piece: Piece, index: number): [from: number, to: number] {
  const from = start(piece, index);
  let to = index + 1 < piece.lines ? start(piece, index + 1) : piece.used;
  if (to > from && piece.bytes[to - 1] === NEWLINE) to -= 1;
  while (to > from && piece.bytes[to - 1] === RETURN) to -= 1;
  let at = to;
  while (at > from && piece.bytes[at - 1] !== RETURN) at -= 1;
  return [at, to];
}

/** A progress bar that writes for hours without a newline is not kept for all that time. */
function forgetOverwritten(piece: Piece): void {
  const from = start(piece, piece.lines - 1);
  if (piece.used - from < OVERWRITTEN) return;
  const [shown] = folded(piece, piece.lines - 1);
  piece.bytes.copyWithin(from, shown, piece.used);
  piece.used -= shown - from;
}

/** The end of a part that does not cut a character in two. */
function wholeCharacters(bytes: Uint8Array, from: number, to: number, end: number): number {
  if (to >= end) return end;
  let at = to;
  while (at > from && ((bytes[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return at;
}
