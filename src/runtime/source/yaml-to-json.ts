import type { Json, JsonObject } from '../../json.ts';
import type { YamlMap, YamlNode } from './yaml-doc.ts';

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

/** A map as a plain object; none is an empty one. Keys are defined, never assigned, so `__proto__` is a key like any other. */
export function mapToJson(map: YamlMap | undefined): JsonObject {
  return Object.fromEntries([...(map?.entries ?? [])].map(([key, { value }]) => [key, yamlToJson(value)]));
}
