/** Which metrics belong on one chart: what was measured in training and in validation is the same thing twice. */

export type Role = 'train' | 'val' | 'plain';
export type Kind = 'metric' | 'loss' | 'rate' | 'other';
/** `short`: what tells it from the others of its chart, whose title says the rest. */
export type Measured = { name: string; role: Role; short: string };
export type Group = { id: string; title: string; kind: Kind; perStep: boolean; measured: Measured[] };

const ROLES: [pattern: RegExp, role: Role][] = [
  [/^train(?:ing)?[/_]/i, 'train'],
  [/^(?:val|valid|validation|eval|test|metrics)[/_]/i, 'val'],
];
const RATE = /(?:^|\/)(?:lr|learning_rate)\d*(?:[/_-].*)?$/i;
const LOSS = /loss|^nll$|cross_?entropy/i;
const ORDER: Kind[] = ['metric', 'loss', 'rate', 'other'];

/** `perStep`: the metrics that are counted by steps where the others are by epochs; they can't share a chart. */
export function group(names: Iterable<string>, best?: string | null, perStep?: ReadonlySet<string>): Group[] {
  const groups = new Map<string, Group>();
  for (const name of [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))) {
    const place = placeOf(name);
    const steps = perStep?.has(name) ?? false;
    const id = steps ? `${place.id} step` : place.id;
    const found = groups.get(id) ?? { id, title: place.title, kind: place.kind, perStep: steps, measured: [] };
    // a name that says what it is tells it of the one that doesn't: accuracy beside val_accuracy
    if (ORDER.indexOf(place.kind) < ORDER.indexOf(found.kind)) found.kind = place.kind;
    found.measured.push({ name, role: place.role, short: place.short });
    groups.set(id, found);
  }
  const first = (one: Group) => Number(!one.measured.some(({ name }) => name === best));
  return [...groups.values()]
    .map(inOrder)
    .sort(
      (a, b) =>
        ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || first(a) - first(b) || Number(a.perStep) - Number(b.perStep),
    );
}

type Place = Omit<Group, 'measured' | 'perStep'> & { role: Role; short: string };

function placeOf(name: string): Place {
  if (RATE.test(name)) return { id: 'lr', title: 'lr', kind: 'rate', role: 'plain', short: lastPart(name) };
  for (const [pattern, role] of ROLES) {
    const rest = name.replace(pattern, '');
    if (rest !== name && rest !== '') {
      const kind = LOSS.test(rest) ? 'loss' : 'metric';
      return { id: rest, title: rest, kind, role, short: name.slice(0, -rest.length - 1) };
    }
  }
  if (LOSS.test(name)) return { id: name, title: name, kind: 'loss', role: 'train', short: name };
  const folder = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : null;
  // without a word of what it is: system/cpu and system/gpu share a chart, fps has its own
  if (folder !== null) return { id: `${folder}/`, title: folder, kind: 'other', role: 'plain', short: lastPart(name) };
  return { id: name, title: name, kind: 'other', role: 'train', short: name };
}

const lastPart = (name: string) => name.slice(name.lastIndexOf('/') + 1);

const ROLE_ORDER: Role[] = ['train', 'val', 'plain'];

function inOrder(one: Group): Group {
  const rank = ({ role }: Measured) => ROLE_ORDER.indexOf(role);
  return { ...one, measured: one.measured.toSorted((a, b) => rank(a) - rank(b)) };
}
