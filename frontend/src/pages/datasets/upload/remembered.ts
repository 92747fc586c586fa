/** Uploads that did not end, so that they can go on when the same file is chosen again after a reload. */

const KEPT = 'trainyard.uploads';
const TAB = 'trainyard.tab';
const VERSION = 1;
const FORGOTTEN_AFTER_MS = 24 * 3600_000; // as the backend does
const ELSEWHERE_MS = 60_000; // another tab that was heard of so lately is at it

export type Remembered = {
  fingerprint: string;
  id: string;
  name: string;
  project: string;
  fileName: string;
  bytes: number;
  sent: number;
  kind: 'zip' | 'folder';
  at: number;
  tab: string;
};

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== 'object' || value === null) return false;
  const one = value as Record<string, unknown>;
  const texts = ['fingerprint', 'id', 'name', 'project', 'fileName', 'kind', 'tab'];
  const numbers = ['bytes', 'sent', 'at'];
  return texts.every((key) => typeof one[key] === 'string') && numbers.every((key) => typeof one[key] === 'number');
}

function all(): Remembered[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? 'null');
    if (typeof kept !== 'object' || kept === null || !('version' in kept) || kept.version !== VERSION) return [];
    const items = 'items' in kept && Array.isArray(kept.items) ? kept.items : [];
    return items.filter(isRemembered).filter((one) => Date.now() - one.at < FORGOTTEN_AFTER_MS);
  } catch {
    return [];
  }
}

function keep(items: Remembered[]): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ version: VERSION, items }));
  } catch {
    // full or forbidden: then it can't go on after a reload, and nothing else
  }
}

/** The same after a reload, another one in another tab. */
export function thisTab(): string {
  const known = sessionStorage.getItem(TAB);
  if (known !== null) return known;
  const made = `${Date.now()}-${Math.random()}`;
  sessionStorage.setItem(TAB, made);
  return made;
}

export function remember(one: Omit<Remembered, 'at' | 'tab'>): void {
  keep([...all().filter((known) => known.id !== one.id), { ...one, at: Date.now(), tab: thisTab() }]);
}

export function forget(id: string): void {
  keep(all().filter((one) => one.id !== id));
}

export function recall(fingerprint: string, project: string): Remembered | undefined {
  return all().find((one) => one.fingerprint === fingerprint && one.project === project);
}

/** Those that nobody is at, as far as can be known. `running`: fingerprints of what this tab has in its list. */
export function interrupted(running: Set<string>): Remembered[] {
  const mine = thisTab();
  return all().filter(
    (one) => !running.has(one.fingerprint) && (one.tab === mine || Date.now() - one.at > ELSEWHERE_MS),
  );
}
