import { basename, dirname, resolve } from 'node:path';
import { type Checked, type Diagnostic, quoted } from '../diagnostic/diagnostic.ts';
import type { StageRegistry } from '../stage/stage-definition.ts';
import type { DocumentReader } from '../yaml/document-reader.ts';
import {
  childOf,
  mapOf,
  mapToJson,
  textOf,
  type YamlDoc,
  type YamlEntry,
  type YamlNode,
  yamlToJson,
} from '../yaml/yaml-doc.ts';
import { checkUseOfOwnStage, isOwnStage } from './check-own-stage.ts';
import { checkParams, checkShape } from './check-shape.ts';
import { checkStage, type WrittenStage, writtenBindings } from './check-stage.ts';
import { applyOverrides, checkStray, type Override, overridesWithin } from './override.ts';
import { fileCycle, readPipeline } from './read-pipeline.ts';
import { substituteParams } from './substitute-params.ts';
import type { PipelineInput, PipelineOutput, PipelineStage, ValidPipeline } from './valid-pipeline.ts';

export interface PipelineToCheck {
  readonly doc: YamlDoc;
  readonly overrides: readonly Override[];
  readonly registry: StageRegistry;
  readonly reader: DocumentReader;
  /** The files that lead here through `uses`, this one last. */
  readonly chain: readonly string[];
}

/** Checks a pipeline file and the files that it uses as stages; every mistake is reported. */
export async function checkPipeline(pipeline: PipelineToCheck): Promise<Checked<ValidPipeline>> {
  const { doc, overrides } = pipeline;
  const overridden = applyOverrides(
    doc.root,
    overrides.filter(({ within }) => within.length === 0),
  );
  const substituted = substituteStages(overridden.value);
  const root = substituted.value;
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
      ...overridden.diagnostics,
      ...substituted.diagnostics,
      ...checkShape(root, pipeline.registry),
      ...stages.diagnostics,
    ],
  };
}

async function checkStages(
  root: YamlNode,
  pipeline: PipelineToCheck,
): Promise<Checked<readonly PipelineStage[]>> {
  const written = mapOf(childOf(root, 'stages'))?.entries ?? new Map<string, YamlEntry>();
  const stages: Checked<PipelineStage>[] = [];
  for (const [id, entry] of written) {
    const uses = childOf(entry.value, 'uses');
    if (isPipelineFile(uses)) stages.push(await checkSubPipeline({ ...pipeline, id, entry, uses }));
    else if (isOwnStage(uses)) stages.push(await checkUseOfOwnStage({ ...pipeline, id, entry, uses }));
    else stages.push(checkStage({ id, entry, registry: pipeline.registry }));
  }
  const used = new Set(stages.flatMap(({ value }) => (value.pipeline === undefined ? [] : [value.id])));
  const strays = pipeline.overrides.filter(({ within: [id] }) => id !== undefined && !used.has(id));
  return {
    value: stages.map(({ value }) => value),
    diagnostics: [
      ...stages.flatMap(({ diagnostics }) => diagnostics),
      ...strays.flatMap((override) => checkStray(root, override)),
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

/** Whether `uses` names a pipeline file. */
const isPipelineFile = (uses: YamlNode | undefined): uses is YamlNode =>
  uses?.reported !== true && /\.ya?ml$/i.test(textOf(uses) ?? '');

interface UsedPipeline extends WrittenStage, PipelineToCheck {
  readonly uses: YamlNode;
}

/** Checks a stage that is another pipeline file: `with` sets that file's params, `from` what its inputs are bound to. */
async function checkSubPipeline(used: UsedPipeline): Promise<Checked<PipelineStage>> {
  const { id, entry, uses, overrides, registry, reader } = used;
  const path = resolve(dirname(uses.span.file.path), textOf(uses) ?? '');
  const stage = { id, idSpan: entry.keySpan, ...writtenBindings(entry.value), setup: undefined };
  const diagnostics: Diagnostic[] = [...ignoredFields(entry.value)];
  const namedAt = uses.usedAt ?? uses.span;
  if (used.chain.includes(path)) {
    diagnostics.push(fileCycle('uses', { path, chain: used.chain, span: namedAt, reader }));
    return { value: stage, diagnostics };
  }
  const taken = reader.takeIn(path, { verb: 'uses', span: namedAt });
  diagnostics.push(...taken.diagnostics);
  if (taken.isTooMany) return { value: stage, diagnostics };
  const read = await readPipeline({ path, namedAt }, reader);
  diagnostics.push(...read.diagnostics);
  if (read.value === undefined) return { value: stage, diagnostics };
  diagnostics.push(...sweepWithin(read.value));
  const pipeline = await checkPipeline({
    doc: read.value,
    overrides: [...paramsGiven(entry.value), ...overridesWithin(overrides, id)],
    registry,
    reader,
    chain: [...used.chain, path],
  });
  return {
    value: { ...stage, pipeline: pipeline.value },
    diagnostics: [...diagnostics, ...pipeline.diagnostics],
  };
}

/** The fields of `with`: values for the params of the used pipeline. */
const paramsGiven = (stage: YamlNode): readonly Override[] =>
  [...(mapOf(childOf(stage, 'with'))?.entries ?? [])].map(([name, { keySpan, value }]) => ({
    path: ['params', name],
    within: [],
    pathSpan: keySpan,
    value,
  }));

/** Fields beside `with` that have no meaning for a sub-pipeline. */
const ignoredFields = (stage: YamlNode): readonly Diagnostic[] =>
  ['resources', 'timeout', 'retries'].flatMap((field) => {
    const span = mapOf(stage)?.entries.get(field)?.keySpan;
    if (span === undefined) return [];
    return [
      {
        code: 'unheeded-field',
        message: `${quoted(field)} means nothing where another pipeline is used`,
        span,
        help: 'write it at the stages of that file',
      },
    ];
  });

function sweepWithin({ root }: YamlDoc): readonly Diagnostic[] {
  const span = mapOf(root)?.entries.get('sweep')?.keySpan;
  if (span === undefined) return [];
  const message = 'a pipeline with a `sweep` cannot be a stage of another';
  return [{ code: 'misplaced-sweep', message, span, help: 'put `sweep` into the pipeline that is run' }];
}

/** The declared inputs: `name: type`, or `name: { type, required }`. */
function declaredInputs(root: YamlNode): ReadonlyMap<string, PipelineInput> {
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

/** The declared outputs: `name: reference`. */
function declaredOutputs(root: YamlNode): ReadonlyMap<string, PipelineOutput> {
  const outputs = entriesOf(root, 'outputs').flatMap(([name, { value }]): [string, PipelineOutput][] => {
    const reference = textOf(value);
    return reference === undefined ? [] : [[name, { reference, span: value.span }]];
  });
  return new Map(outputs);
}

const entriesOf = (root: YamlNode, key: string): readonly (readonly [string, YamlEntry])[] => [
  ...(mapOf(childOf(root, key))?.entries ?? []),
];
