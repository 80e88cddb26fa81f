import type { Json } from '../../json.ts';
import type { YamlNode } from './yaml-doc.ts';

/** The plain value. Keys are defined, never assigned, so `__proto__` is a key like any other. */
export function yamlToJson(node: YamlNode): Json {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(yamlToJson);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, yamlToJson(value)]));
    default:
      return node satisfies never;
  }
}
