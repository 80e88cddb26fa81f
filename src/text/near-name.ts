import { closest, distance } from 'fastest-levenshtein';

/** The name of these that is most likely meant by a mistyped one; undefined where none is near. */
export function nearName(name: string, names: readonly string[]): string | undefined {
  const nearest = names.length === 0 ? undefined : closest(name, names);
  const mostEdits = Math.max(1, Math.floor(name.length / 3));
  return nearest !== undefined && distance(name, nearest) <= mostEdits ? nearest : undefined;
}
