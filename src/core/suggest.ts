import { closest, distance } from 'fastest-levenshtein';

/** The known name that a mistyped one most likely means; undefined where none is near. */
export function suggest(name: string, known: Iterable<string>): string | undefined {
  const names = [...known].filter((candidate) => candidate !== name);
  const alike = names.find(
    (candidate) => plain(candidate) === plain(name) || isTransposition(candidate, name),
  );
  if (alike !== undefined) return alike;
  if (names.length === 0) return undefined;
  const nearest = closest(name, names);
  const most = nearest.length < 3 ? 0 : Math.max(1, Math.floor(nearest.length / 3));
  return distance(name, nearest) <= most ? nearest : undefined;
}

/** `did you mean ...?`, or undefined where nothing is near. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const nearest = suggest(name, known);
  return nearest === undefined ? undefined : `did you mean \`${nearest}\`?`;
}

/** Without what people confuse most: case, and how words are joined. */
const plain = (name: string): string => name.toLowerCase().replace(/[-_ ]/g, '');

/** Two neighboring letters in the wrong order: `form` for `from`. */
function isTransposition(a: string, b: string): boolean {
  const at = [...a].findIndex((letter, index) => letter !== b[index]);
  return at >= 0 && a.slice(0, at) + (a[at + 1] ?? '') + a[at] + a.slice(at + 2) === b;
}
