import { textOf } from '../source/yaml-at.ts';
import type { YamlNode } from '../source/yaml-doc.ts';
import type { WrittenBinding } from './valid-pipeline.ts';

/** What `from` says, as it stands there; what is not a reference is left to the shape's check. */
export function writtenBindings(
  from: YamlNode | undefined,
  unresolved: ReadonlySet<YamlNode>,
): readonly WrittenBinding[] {
  if (from?.kind === 'map')
    return [...from.entries].flatMap(([port, { keySpan, value }]) => {
      const reference = unresolved.has(value) ? undefined : textOf(value);
      return reference === undefined ? [] : [{ port, portSpan: keySpan, reference, span: value.span }];
    });
  const reference = from === undefined || unresolved.has(from) ? undefined : textOf(from);
  return reference === undefined || from === undefined
    ? []
    : [{ port: undefined, portSpan: from.span, reference, span: from.span }];
}
