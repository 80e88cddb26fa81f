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

/** A map as a plain object; none is an empty one. `__proto__` is a key like any other. */
export function mapToJson(map: YamlMap | undefined): JsonObject {
  const plain: Record<string, Json> = {};
  for (const [key, { value }] of map?.entries ?? []) {
    const json = yamlToJson(value);
    if (key !== '__proto__') plain[key] = json;
    // Assigned, it would be the object's prototype.
    else Object.defineProperty(plain, key, { value: json, ...ordinary });
  }
  return plain;
}

const ordinary = { enumerable: true, writable: true, configurable: true };
