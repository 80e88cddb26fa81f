import { childOf, mapOf, textOf } from '../source/yaml-at.ts';
import type { YamlEntry, YamlNode } from '../source/yaml-doc.ts';
import { yamlToJson } from '../source/yaml-to-json.ts';
import type { PipelineInput, PipelineOutput } from './valid-pipeline.ts';

/** What a pipeline declares that it takes: `name: type`, or `name: { type, required }`. */
export function declaredInputs(root: YamlNode): ReadonlyMap<string, PipelineInput> {
  const inputs = entriesOf(root, 'inputs').map(([name, { keySpan, value }]): [string, PipelineInput] => {
    const type = textOf(value) ?? textOf(childOf(value, 'type')) ?? 'file';
    const required = childOf(value, 'required');
    return [
      name,
      { name, type, required: required === undefined || yamlToJson(required) !== false, span: keySpan },
    ];
  });
  return new Map(inputs);
}

/** What a pipeline declares that it gives: `name: reference`. */
export function declaredOutputs(root: YamlNode): ReadonlyMap<string, PipelineOutput> {
  const outputs = entriesOf(root, 'outputs').flatMap(([name, { value }]): [string, PipelineOutput][] => {
    const reference = textOf(value);
    return reference === undefined ? [] : [[name, { reference, span: value.span }]];
  });
  return new Map(outputs);
}

const entriesOf = (root: YamlNode, key: string): readonly (readonly [string, YamlEntry])[] => [
  ...(mapOf(childOf(root, key))?.entries ?? []),
];
