import { basename } from 'node:path';
import type { Checked } from '../diagnostic/checked.ts';
import { childOf, mapOf, textOf } from '../source/yaml-at.ts';
import type { YamlDoc, YamlNode } from '../source/yaml-doc.ts';
import { mapToJson } from '../source/yaml-to-json.ts';
import type { StageRegistry } from '../stage/stage-definition.ts';
import { applyOverrides } from './apply-overrides.ts';
import { checkParams } from './check-params.ts';
import { checkShape } from './check-shape.ts';
import { checkStage } from './check-stage.ts';
import type { Override } from './override.ts';
import { substituteParams } from './substitute-params.ts';
import { withoutUnsupportedFields } from './unsupported-field.ts';
import type { ValidPipeline } from './valid-pipeline.ts';

/** Checks all that a pipeline file says by itself, overrides and parameters put in their places; every mistake is reported. */
export function checkPipeline({
  doc,
  overrides,
  registry,
}: {
  readonly doc: YamlDoc;
  readonly overrides: readonly Override[];
  readonly registry: StageRegistry;
}): Checked<ValidPipeline> {
  const supported = withoutUnsupportedFields(doc.root);
  const overridden = applyOverrides(supported.value, overrides);
  const substituted = substituteStages(overridden.value);
  const root = substituted.value;
  const shape = checkShape(root, registry);
  const stages = [...(mapOf(childOf(root, 'stages'))?.entries ?? [])].map(([id, entry]) =>
    checkStage({ id, entry, registry }),
  );
  return {
    value: {
      name: textOf(childOf(root, 'name')) ?? nameFromFile(doc.file.path),
      file: doc.file,
      params: mapToJson(mapOf(childOf(root, 'params'))),
      overridden: overrides.length > 0,
      tryNext: sentencesOf(childOf(root, 'try_next')),
      stages: new Map(stages.map(({ value }) => [value.id, value])),
    },
    diagnostics: [
      ...checkParams(childOf(root, 'params')),
      ...[supported, overridden, substituted, shape, ...stages].flatMap(({ diagnostics }) => diagnostics),
    ],
  };
}

function substituteStages(root: YamlNode): Checked<YamlNode> {
  const params = mapOf(childOf(root, 'params'));
  const stages = root.kind === 'map' ? root.entries.get('stages') : undefined;
  if (root.kind !== 'map' || stages === undefined) return { value: root, diagnostics: [] };
  const substituted = substituteParams(stages.value, params);
  const entries = new Map(root.entries).set('stages', { ...stages, value: substituted.value });
  return { ...substituted, value: { ...root, entries } };
}

/** `pipelines/My run.yaml` -> `My-run`. */
const nameFromFile = (path: string): string =>
  basename(path)
    .replace(/\.ya?ml$/i, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '') || 'pipeline';

const sentencesOf = (node: YamlNode | undefined): readonly string[] =>
  node?.kind === 'list' ? node.items.map(textOf).filter((text) => text !== undefined) : [];
