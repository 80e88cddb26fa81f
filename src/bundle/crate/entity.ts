import type { Json } from '../../core/index.ts';

/** A thing that the manifest describes. */
export interface Entity {
  readonly '@id': string;
  readonly '@type': string | readonly string[];
  readonly [property: string]: Json;
}

export interface Reference {
  readonly '@id': string;
  readonly [property: string]: Json;
}

export const ref = (id: string): Reference => ({ '@id': id });

/** References to several things; to one alone without a list, as RO-Crate recommends. */
export function refs(ids: readonly string[]): Reference | readonly Reference[] {
  const [only, another] = ids;
  return only !== undefined && another === undefined ? ref(only) : ids.map(ref);
}

/** The identifier of a member, whose path may hold characters that an address may not. */
export const memberId = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** The path of a member by its identifier; undefined for what is no encoded path. */
export function memberPath(id: string): string | undefined {
  try {
    return decodeURIComponent(id);
  } catch {
    return undefined;
  }
}

/** An identifier within the manifest, such as `#step/mmlu%2Fformat`. */
export const localId = (kind: string, name: string): string => `#${kind}/${encodeURIComponent(name)}`;

/** A time in the form that the profiles ask for: milliseconds and a numeric offset. */
export const timestamp = (startedAt: string, later = 0): string =>
  new Date(Date.parse(startedAt) + later).toISOString().replace('Z', '+00:00');
