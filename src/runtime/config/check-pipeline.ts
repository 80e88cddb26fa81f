import { basename } from 'node:path';
import type { Checked } from '../diagnostic/checked.ts';
import type { DocumentReader } from '../source/document-reader.ts';
import { childOf, mapOf, textOf } from '../source/yaml-at.ts';
import type { YamlDoc, YamlEntry, YamlNode } from '../source/yaml-doc.ts';
import { mapToJson } from '../source/yaml-to-json.ts';
import type { StageRegistry } from '../stage/stage-definition.ts';
import { applyOverrides } from './apply-overrides.ts';
import { isOwnStage } from './check-own-stage.ts';
import { checkParams } from './check-params.ts';
import { checkShape } from './check-shape.ts';
import { checkStage } from './check-stage.ts';
import { checkSubPipeline, isPipelineFile } from './check-sub-pipeline.ts';
import { checkUseOfOwnStage } from './check-use-of-own-stage.ts';
import { isForStageWithin, type Override, overrideWithin } from './override.ts';
import { declaredInputs, declaredOutputs } from './pipeline-ports.ts';
import { substituteParams } from './substitute-params.ts';
import type { PipelineStage, ValidPipeline } from './valid-pipeline.ts';

export interface PipelineToCheck {
  readonly doc: YamlDoc;
  readonly overrides: readonly Override[];
  readonly registry: StageRegistry;
  readonly reader: DocumentReader;
  /** The files that lead here by `uses`, this one last. */
  readonly chain: readonly string[];
}

/** Checks all that a pipeline file says, and the files that it uses as stages; every mistake is reported. */
export async function checkPipeline(pipeline: PipelineToCheck): Promise<Checked<ValidPipeline>> {
  const { doc, overrides } = pipeline;
  const overridden = applyOverrides(
    doc.root,
    overrides.filter((override) => !isForStageWithin(override)),
  );
  const substituted = substituteStages(overridden.value);
  const root = substituted.value;
  const shape = checkShape(root, pipeline.registry);
  const stages = await checkStages(root, pipeline);
  return {
    value: {
      name: textOf(childOf(root, 'name')) ?? nameFromFile(doc.file.path),
      file: doc.file,
      params: mapToJson(mapOf(childOf(root, 'params'))),
      overridden: overrides.length > 0,
      tryNext: sentencesOf(childOf(root, 'try_next')),
      stages: new Map(stages.value.map((stage) => [stage.id, stage])),
      removedStages: mapOf(childOf(root, 'stages'))?.removed ?? new Map(),
      inputs: declaredInputs(root),
      outputs: declaredOutputs(root),
    },
    diagnostics: [
      ...checkParams(childOf(root, 'params')),
      ...[overridden, substituted, shape, stages].flatMap(({ diagnostics }) => diagnostics),
    ],
  };
}

async function checkStages(
  root: YamlNode,
  pipeline: PipelineToCheck,
): Promise<Checked<readonly PipelineStage[]>> {
  const written = mapOf(childOf(root, 'stages'))?.entries ?? new Map<string, YamlEntry>();
  const overrides = pipeline.overrides.filter(isForStageWithin);
  const stages: Checked<PipelineStage>[] = [];
  for (const [id, entry] of written) {
    const uses = childOf(entry.value, 'uses');
    const within = overrides.flatMap((override) => overrideWithin(override, id));
    if (isPipelineFile(uses))
      stages.push(await checkSubPipeline({ ...pipeline, id, entry, uses, overrides: within }));
    else if (isOwnStage(uses)) stages.push(await checkUseOfOwnStage({ ...pipeline, id, entry, uses }));
    else stages.push(checkStage({ id, entry, registry: pipeline.registry }));
  }
  const strays = overrides.filter(
    ({ path }) =>
      !stages.some(({ value }) => value.pipeline !== undefined && path[1]?.startsWith(`${value.id}/`)),
  );
  return {
    value: stages.map(({ value }) => value),
    diagnostics: [
      ...stages.flatMap(({ diagnostics }) => diagnostics),
      ...strays.flatMap((override) => applyOverrides(root, [override]).diagnostics),
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
