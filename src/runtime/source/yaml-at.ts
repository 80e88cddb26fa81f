import type { YamlEntry, YamlMap, YamlNode } from './yaml-doc.ts';

export interface YamlPlace {
  readonly node: YamlNode;
  /** The entry of a map whose value `node` is; undefined for a list's item and for the root. */
  readonly entry: YamlEntry | undefined;
  /** False where the path goes on and the file does not: `node` is then the nearest place above. */
  readonly exact: boolean;
}

/** Follows keys and list indices from a node, as far as it goes. */
export function yamlAt(root: YamlNode, path: readonly string[]): YamlPlace {
  let place: YamlPlace = { node: root, entry: undefined, exact: true };
  for (const step of path) {
    const next = stepInto(place.node, step);
    if (next === undefined) return { ...place, exact: false };
    place = { ...next, exact: true };
  }
  return place;
}

function stepInto(node: YamlNode, step: string): Pick<YamlPlace, 'node' | 'entry'> | undefined {
  if (node.kind === 'map') {
    const entry = node.entries.get(step);
    return entry && { node: entry.value, entry };
  }
  const item = node.kind === 'list' && /^\d+$/.test(step) ? node.items[Number(step)] : undefined;
  return item && { node: item, entry: undefined };
}

/** The value of a key, where the node is a map that has it. */
export function childOf(node: YamlNode | undefined, key: string): YamlNode | undefined {
  return node?.kind === 'map' ? node.entries.get(key)?.value : undefined;
}

export function mapOf(node: YamlNode | undefined): YamlMap | undefined {
  return node?.kind === 'map' ? node : undefined;
}

export function textOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}
