/** What two bundles of code have in common, file by file. */

export type Kept = { path: string; bytes: number };
export type Pair = { path: string; before: Kept | null; after: Kept | null };

/** Every path of either, in order. */
export function paired(before: readonly Kept[], after: readonly Kept[]): Pair[] {
  const ours = new Map(before.map((file) => [file.path, file]));
  const theirs = new Map(after.map((file) => [file.path, file]));
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .sort()
    .map((path) => ({ path, before: ours.get(path) ?? null, after: theirs.get(path) ?? null }));
}
