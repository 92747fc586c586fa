/** Which lines were taken out and which came in: Myers' shortest way from one text to another. */

export type Change = 'same' | 'out' | 'in';
/** Line numbers from 1; null on the side that does not have it. */
export type DiffLine = { change: Change; text: string; before: number | null; after: number | null };

const MOST_CHANGES = 2_000; // beyond, all that differs is shown as replaced: nobody reads that as a diff

export function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (lines.at(-1) === '') lines.pop(); // the end of the last line begins no other
  return lines;
}

export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;

  const changes: Change[] = [
    ...Array<Change>(head).fill('same'),
    ...shortest(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...Array<Change>(tail).fill('same'),
  ];
  let a = 0;
  let b = 0;
  return changes.map((change) => {
    if (change === 'out') return { change, text: before[a] ?? '', before: ++a, after: null };
    if (change === 'in') return { change, text: after[b] ?? '', before: null, after: ++b };
    return { change, text: after[b] ?? '', before: ++a, after: ++b };
  });
}

/** `reach[k]`: how far into `before` a way on diagonal k comes with so many changes; each round is kept to walk back. */
function shortest(before: readonly string[], after: readonly string[]): Change[] {
  const [n, m] = [before.length, after.length];
  const most = Math.min(n + m, MOST_CHANGES);
  const reach = new Int32Array(2 * most + 3);
  const middle = most + 1;
  const at = (rounds: Int32Array, k: number) => rounds[middle + k] ?? 0;
  const kept: Int32Array[] = [];
  for (let changes = 0; changes <= most; changes += 1) {
    kept.push(reach.slice());
    for (let k = -changes; k <= changes; k += 2) {
      const down = k === -changes || (k !== changes && at(reach, k - 1) < at(reach, k + 1));
      let x = down ? at(reach, k + 1) : at(reach, k - 1) + 1;
      while (x < n && x - k < m && before[x] === after[x - k]) x += 1;
      reach[middle + k] = x;
      if (x >= n && x - k >= m) return walkBack(kept, at, n, m);
    }
  }
  return [...Array<Change>(n).fill('out'), ...Array<Change>(m).fill('in')];
}

function walkBack(kept: Int32Array[], at: (round: Int32Array, k: number) => number, n: number, m: number): Change[] {
  const found: Change[] = [];
  let [x, y] = [n, m];
  for (let changes = kept.length - 1; changes >= 0; changes -= 1) {
    const round = kept[changes] ?? new Int32Array();
    const k = x - y;
    const down = k === -changes || (k !== changes && at(round, k - 1) < at(round, k + 1));
    const from = changes === 0 ? 0 : down ? at(round, k + 1) : at(round, k - 1);
    const fromY = changes === 0 ? 0 : from - (down ? k + 1 : k - 1);
    while (x > from && y > fromY) {
      found.push('same');
      x -= 1;
      y -= 1;
    }
    if (changes > 0) found.push(down ? 'in' : 'out');
    [x, y] = [from, fromY];
  }
  return found.reverse();
}

export type Hunk = { lines: DiffLine[] } | { folded: DiffLine[] };

/** What changed with some lines around it; long stretches of the same are folded. */
export function hunks(lines: readonly DiffLine[], around = 3): Hunk[] {
  const near = new Uint8Array(lines.length);
  lines.forEach(({ change }, place) => {
    if (change !== 'same') near.fill(1, Math.max(0, place - around), place + around + 1);
  });
  const found: Hunk[] = [];
  for (let from = 0; from < lines.length; ) {
    let to = from;
    while (to < lines.length && near[to] === near[from]) to += 1;
    const part = lines.slice(from, to);
    // folding a line or two saves nothing
    const last = found.at(-1);
    if (near[from] === 1 || part.length <= 2) {
      if (last !== undefined && 'lines' in last) last.lines.push(...part);
      else found.push({ lines: part });
    } else found.push({ folded: part });
    from = to;
  }
  return found;
}

export function countChanges(lines: readonly DiffLine[]): { in: number; out: number } {
  return {
    in: lines.filter(({ change }) => change === 'in').length,
    out: lines.filter(({ change }) => change === 'out').length,
  };
}
