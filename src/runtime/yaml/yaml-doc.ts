import type { Json, JsonObject } from '../../core/index.ts';
import type { Span } from '../diagnostic/diagnostic.ts';
import type { TextFile } from '../diagnostic/text-file.ts';

/** A YAML file as data: bounded in size, without duplicate keys or aliases, every value with its place. */
export interface YamlDoc {
  readonly file: TextFile;
  readonly root: YamlNode;
}

export type YamlNode = YamlScalar | YamlList | YamlMap;

export interface YamlScalar extends Placed {
  readonly kind: 'scalar';
  readonly value: null | boolean | number | string;
}

interface YamlList extends Placed {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
}

export interface YamlMap extends Placed {
  readonly kind: 'map';
  /** A Map, in which no key is special, not even `__proto__`. */
  readonly entries: ReadonlyMap<string, YamlEntry>;
  /** Keys that an overlay removed, and where. */
  readonly removed?: ReadonlyMap<string, Span>;
}

export interface YamlEntry {
  readonly keySpan: Span;
  readonly value: YamlNode;
}

interface Placed {
  /** Where the value was written. */
  readonly span: Span;
  /** Where a value that is written elsewhere, such as a parameter's, is used. */
  readonly usedAt?: Span;
  /** A mistake in it has been reported, so no other is. */
  readonly reported?: true;
}

interface YamlPlace {
  readonly node: YamlNode;
  /** The map's entry that holds `node`; undefined for a list's item and for the root. */
  readonly entry: YamlEntry | undefined;
  /** False where the path leads to nothing: `node` is then the nearest value above. */
  readonly exact: boolean;
}

/** Follows keys and list indices from a node as far as they exist. */
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

/** The value of a key; undefined where the node is not a map with that key. */
export function childOf(node: YamlNode | undefined, key: string): YamlNode | undefined {
  return node?.kind === 'map' ? node.entries.get(key)?.value : undefined;
}

export function mapOf(node: YamlNode | undefined): YamlMap | undefined {
  return node?.kind === 'map' ? node : undefined;
}

export function textOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

/** The plain value. */
export function yamlToJson(node: YamlNode): Json {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(yamlToJson);
    case 'map':
      return mapToJson(node);
    default:
      return node satisfies never;
  }
}

/** A map as a plain object, empty where there is no map. `__proto__` is a key like any other. */
export function mapToJson(map: YamlMap | undefined): JsonObject {
  const plain: Record<string, Json> = {};
  for (const [key, { value }] of map?.entries ?? []) {
    const json = yamlToJson(value);
    if (key !== '__proto__') plain[key] = json;
    // An assignment would set the object's prototype.
    else Object.defineProperty(plain, key, { value: json, ...ordinary });
  }
  return plain;
}

const ordinary = { enumerable: true, writable: true, configurable: true };

/** RFC 6901: `/a~1b/0` -> ['a/b', '0']. */
export function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function formatPointer(path: readonly string[]): string {
  return path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Whether a value is or contains one whose mistake has been reported. */
export function holdsReported(node: YamlNode): boolean {
  if (node.reported === true) return true;
  switch (node.kind) {
    case 'scalar':
      return false;
    case 'list':
      return node.items.some(holdsReported);
    case 'map':
      return [...node.entries.values()].some(({ value }) => holdsReported(value));
    default:
      return node satisfies never;
  }
}
