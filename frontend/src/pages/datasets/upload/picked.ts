/** What a person dropped or chose, made into what can be sent: a zip as it is, a folder as a zip of its own. */
import { crc32 } from './crc32';
import type { Source } from './shapes';
import { type Entry, FileTooLarge, FolderZip } from './zip';

/** Why something that was dropped is not taken. */
export type Refusal = {
  fileName: string;
  why: 'loose' | 'archive' | 'empty' | 'no_pictures' | 'too_large' | 'unreadable';
};
export type Picked = { sources: Source[]; refused: Refusal[] };
export type Located = { path: string; file: File };

const ZIP = /\.zip$/i;
const OTHER_ARCHIVE = /\.(tar|tgz|gz|bz2|xz|7z|rar|zst)$/i;
const PICTURE = /\.(jpe?g|png|webp|bmp|gif|tiff?|ppm|pgm)$/i;
/** What operating systems and editors leave behind. */
const JUNK = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini|__MACOSX|\.git|\.ipynb_checkpoints|\._[^/]*)(\/|$)/;

/** Call it in the drop event itself: afterwards the browser has forgotten what was dropped. */
export function dropped(transfer: DataTransfer): Promise<Picked> {
  // what a script puts there has no entry
  const found = [...transfer.items].map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  return pick(found.filter((one) => one !== null));
}

async function pick(found: (FileSystemEntry | File)[]): Promise<Picked> {
  const picked: Picked = { sources: [], refused: [] };
  for (const entry of found) {
    try {
      if (entry instanceof File) add(picked, fileSource(entry));
      else if (isFolder(entry)) add(picked, folderSource(entry.name, await filesBelow(entry, '')));
      else add(picked, fileSource(await fileOf(entry as FileSystemFileEntry)));
    } catch {
      picked.refused.push({ fileName: entry.name, why: 'unreadable' });
    }
  }
  return picked;
}

/** From an input for files, or for a folder (there each file knows its path, which begins with the folder). */
export function chosen(files: readonly File[]): Picked {
  const picked: Picked = { sources: [], refused: [] };
  const folders = new Map<string, Located[]>();
  for (const file of files) {
    const [name = '', ...below] = file.webkitRelativePath.split('/');
    if (below.length === 0) {
      add(picked, fileSource(file));
      continue;
    }
    const inside = folders.get(name) ?? [];
    folders.set(name, inside);
    inside.push({ path: below.join('/'), file });
  }
  for (const [name, inside] of folders) add(picked, folderSource(name, inside));
  return picked;
}

function add(picked: Picked, found: Source | Refusal): void {
  if ('why' in found) picked.refused.push(found);
  else picked.sources.push(found);
}

export function fileSource(file: File): Source | Refusal {
  if (!ZIP.test(file.name)) return { fileName: file.name, why: OTHER_ARCHIVE.test(file.name) ? 'archive' : 'loose' };
  if (file.size === 0) return { fileName: file.name, why: 'empty' };
  return {
    kind: 'zip',
    fileName: file.name,
    bytes: file.size,
    files: null,
    fingerprint: `zip:${file.name}:${file.size}:${file.lastModified}`,
    read: async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer()),
  };
}

export function folderSource(name: string, located: Located[]): Source | Refusal {
  const kept = located.filter((one) => !JUNK.test(one.path));
  if (kept.length === 0) return { fileName: name, why: 'empty' };
  if (!kept.some((one) => PICTURE.test(one.path))) return { fileName: name, why: 'no_pictures' };
  let zip: FolderZip;
  try {
    zip = new FolderZip(kept satisfies Entry[]);
  } catch (error) {
    if (error instanceof FileTooLarge) return { fileName: name, why: 'too_large' };
    throw error;
  }
  return {
    kind: 'folder',
    fileName: name,
    bytes: zip.size,
    files: kept.length,
    fingerprint: `folder:${name}:${kept.length}:${zip.size}:${listChecksum(kept)}`,
    read: (start, end) => zip.read(start, end),
  };
}

/** Of every path, size and date: a file that changed makes it another folder. */
function listChecksum(files: Located[]): number {
  const utf8 = new TextEncoder();
  const lines = files.map(({ path, file }) => `${path}\0${file.size}\0${file.lastModified}\n`).sort();
  return lines.reduce((sum, line) => crc32(utf8.encode(line), sum), 0);
}

const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;

async function filesBelow(folder: FileSystemDirectoryEntry, at: string): Promise<Located[]> {
  const reader = folder.createReader();
  const found: Located[] = [];
  for (;;) {
    // browsers give a hundred at a time, and none at the end
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    for (const entry of some) {
      const path = `${at}${entry.name}`;
      if (isFolder(entry)) for (const one of await filesBelow(entry, `${path}/`)) found.push(one);
      else found.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
    }
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A name to begin with: the file's, as people would write it. */
export function suggestedName(fileName: string): string {
  return fileName.replace(ZIP, '').replaceAll('_', ' ').trim().slice(0, 200) || fileName.slice(0, 200);
}
