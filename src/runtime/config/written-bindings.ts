import { suggest } from '../diagnostic/suggest.ts';
import { childOf, textOf } from '../source/yaml-at.ts';
import type { YamlNode } from '../source/yaml-doc.ts';
import type { PipelineStage, WrittenBinding } from './valid-pipeline.ts';

/** What a stage's `from` says, as it stands there; what is not a reference is left to the shape's check. */
export function writtenBindings(stage: YamlNode): Pick<PipelineStage, 'from' | 'fromComplete'> {
  const from = childOf(stage, 'from');
  if (from === undefined) return { from: [], fromComplete: !isMistyped(stage) };
  const written =
    from.kind === 'map'
      ? [...from.entries].map(([port, { keySpan, value }]) => ({ port, portSpan: keySpan, value }))
      : [{ port: undefined, portSpan: from.span, value: from }];
  const bindings = written.map(({ port, portSpan, value }): WrittenBinding | undefined => {
    const reference = value.reported ? undefined : textOf(value);
    return reference === undefined ? undefined : { port, portSpan, reference, span: value.span };
  });
  return {
    from: bindings.filter((binding) => binding !== undefined),
    fromComplete: !bindings.includes(undefined),
  };
}

const isMistyped = (stage: YamlNode): boolean =>
  stage.kind === 'map' &&
  [...stage.entries.keys()].some((key) => suggest(key, ['from', 'uses', 'with']) === 'from');
