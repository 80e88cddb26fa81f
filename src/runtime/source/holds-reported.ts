import type { YamlNode } from './yaml-doc.ts';

/** Whether a value is, or has within it, one that could not be made and has been reported. */
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
