import type { YamlNode } from '../source/yaml-doc.ts';

/** Whether a value is, or has within it, one whose parameter is unknown. */
export function holdsUnresolved(node: YamlNode, unresolved: ReadonlySet<YamlNode>): boolean {
  if (unresolved.size === 0) return false;
  if (unresolved.has(node)) return true;
  switch (node.kind) {
    case 'scalar':
      return false;
    case 'list':
      return node.items.some((item) => holdsUnresolved(item, unresolved));
    case 'map':
      return [...node.entries.values()].some(({ value }) => holdsUnresolved(value, unresolved));
    default:
      return node satisfies never;
  }
}
