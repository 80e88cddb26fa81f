import { schema, validate } from '../../generated/validators/pipeline.js';
import { type Diagnostic, listOf } from '../diagnostic/diagnostic.ts';
import type { StageRegistry } from '../stage/stage-definition.ts';
import { childOf, textOf, type YamlNode, yamlAt, yamlToJson } from '../yaml/yaml-doc.ts';
import { pipelineField } from './field-names.ts';
import { findField } from './schema/applicable-schemas.ts';
import { describeSchemaErrors } from './schema/describe-schema-errors.ts';

/** Checks the pipeline's own fields. What is under `with` is checked for each stage. */
export function checkShape(root: YamlNode, registry: StageRegistry): readonly Diagnostic[] {
  if (validate(yamlToJson(root))) return [];
  const subject = {
    schema,
    node: root,
    span: { ...root.span, end: root.span.start + 1 },
    nameOf: pipelineField,
    homeOf: (path: readonly string[], field: string) => homeOf(root, { path, field, registry }),
  };
  return describeSchemaErrors(subject, validate.errors ?? []);
}

/** Help for a field of the stage's configuration that is beside `with`. */
function homeOf(
  root: YamlNode,
  {
    path,
    field,
    registry,
  }: { readonly path: readonly string[]; readonly field: string; readonly registry: StageRegistry },
): string | undefined {
  const [section, id = ''] = path;
  // A configuration of another program is often one flat map.
  if (path.length === 0) return inSomeStage(field, registry);
  if (section !== 'stages' || path.length !== 2) return undefined;
  const uses = textOf(childOf(yamlAt(root, path).node, 'uses')) ?? id;
  const definition = registry.get(uses);
  const found = definition && findField(definition.schema, field);
  if (found?.at(-1) !== field) return definition?.peerFields?.get(field);
  return found.length === 1
    ? `put \`${field}\` under \`with\``
    : `put it under \`with\`, as \`${found.join('.')}\``;
}

/** Help for a field at the top of the file that a stage has, here or in another program. */
function inSomeStage(field: string, registry: StageRegistry): string | undefined {
  for (const { peerFields } of registry.values()) {
    const help = peerFields?.get(field);
    if (help !== undefined) return help;
  }
  const homes = [...registry].filter(([, { schema: own }]) => findField(own, field)?.at(-1) === field);
  return homes.length === 0
    ? undefined
    : `it is a field of ${listOf(
        homes.map(([name]) => name),
        'and',
      )}: put it under the \`with\` of that stage`;
}

/** Parameters hold plain values: a `${params.x}` in one would silently stay as it is. */
export function checkParams(params: YamlNode | undefined): readonly Diagnostic[] {
  switch (params?.kind) {
    case undefined:
      return [];
    case 'scalar':
      return typeof params.value === 'string' && /(?<!\$)\$\{\s*params\./.test(params.value)
        ? [usesAnother(params)]
        : [];
    case 'list':
      return params.items.flatMap(checkParams);
    case 'map':
      return [...params.entries.values()].flatMap(({ value }) => checkParams(value));
    default:
      return params satisfies never;
  }
}

const usesAnother = ({ span }: YamlNode): Diagnostic => ({
  code: 'bad-expression',
  message: 'a parameter cannot use another one',
  span,
  help: 'write the value, or use both parameters in the stage',
});
