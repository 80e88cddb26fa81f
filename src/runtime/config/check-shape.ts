import { schema, validate } from '../../generated/validators/pipeline.js';
import type { Checked } from '../diagnostic/checked.ts';
import { childOf, textOf, yamlAt } from '../source/yaml-at.ts';
import type { YamlNode } from '../source/yaml-doc.ts';
import { yamlToJson } from '../source/yaml-to-json.ts';
import type { StageRegistry } from '../stage/stage-definition.ts';
import { pipelineField } from './place-in-words.ts';
import { describeSchemaErrors } from './schema/describe-schema-errors.ts';
import { findField } from './schema/find-field.ts';

/** Checks the pipeline's own fields; what stands under `with` is the stages' matter. */
export function checkShape(root: YamlNode, registry: StageRegistry): Checked<undefined> {
  if (validate(yamlToJson(root))) return { value: undefined, diagnostics: [] };
  const subject = {
    schema,
    node: root,
    span: { ...root.span, end: root.span.start + 1 },
    nameOf: pipelineField,
    homeOf: (path: readonly string[], field: string) => homeOf(root, { path, field, registry }),
  };
  return { value: undefined, diagnostics: describeSchemaErrors(subject, validate.errors ?? []) };
}

/** A field of the stage's configuration that was written beside `with`. */
function homeOf(
  root: YamlNode,
  {
    path,
    field,
    registry,
  }: { readonly path: readonly string[]; readonly field: string; readonly registry: StageRegistry },
): string | undefined {
  const [section, id = ''] = path;
  if (section !== 'stages' || path.length !== 2) return undefined;
  const uses = textOf(childOf(yamlAt(root, path).node, 'uses')) ?? id;
  const definition = registry.get(uses);
  const found = definition && findField(definition.schema, field);
  if (found?.at(-1) !== field) return undefined;
  return found.length === 1
    ? `put \`${field}\` under \`with\``
    : `put it under \`with\`, as \`${found.join('.')}\``;
}
