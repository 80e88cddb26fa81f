import { dirname, resolve } from 'node:path';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { Span } from '../../../src/runtime/diagnostic/diagnostic.ts';
import type { Dag, DagNode, InputBinding, SourceField } from '../../../src/runtime/graph/dag.ts';
import type { StageDefinition, StageRegistry } from '../../../src/runtime/stage/stage-definition.ts';
import { tinyRegistry } from './tiny-stages.ts';

export interface TinyStageUse {
  readonly uses: string;
  readonly with?: JsonObject;
  /** Port -> `stage.output` or `stage.output.part`. */
  readonly from?: Readonly<Record<string, string>>;
  readonly retries?: number;
  readonly timeoutMs?: number;
}

export interface TinyPipeline {
  readonly file: string;
  readonly name?: string;
  readonly overridden?: boolean;
  readonly registry?: StageRegistry;
  /** In topological order. */
  readonly stages: Readonly<Record<string, TinyStageUse>>;
}

/** A checked pipeline without its YAML: a span's offsets stand for the stage and the pointer that was asked for. */
export function tinyDag(pipeline: TinyPipeline): Dag {
  const { file, stages, registry = tinyRegistry } = pipeline;
  const nodes = new Map<string, DagNode>();
  for (const [id, use] of Object.entries(stages)) {
    const definition = registry.get(use.uses);
    if (definition === undefined) throw new Error(`no tiny stage ${use.uses}`);
    nodes.set(id, tinyNode({ id, use, definition, file, nodes }));
  }
  const { name = 'tiny', overridden = false } = pipeline;
  return {
    name,
    file,
    workingDirectory: dirname(file),
    params: {},
    overridden,
    nodes,
    subOutputs: new Map(),
    tryNext: [],
  };
}

function tinyNode(stage: {
  readonly id: string;
  readonly use: TinyStageUse;
  readonly definition: StageDefinition;
  readonly file: string;
  readonly nodes: ReadonlyMap<string, DagNode>;
}): DagNode {
  const { id, use, definition, file, nodes } = stage;
  const spanOf = (pointer = ''): Span => spanIn(file, `${id}${pointer}`);
  const written = { ...defaultsOf(definition), ...use.with };
  const config: JsonObject =
    typeof written.path === 'string' ? { ...written, path: resolve(dirname(file), written.path) } : written;
  const sources: readonly SourceField[] =
    typeof config.path === 'string' ? [{ pointer: '/path', path: config.path, span: spanOf('/path') }] : [];
  const inputs = Object.fromEntries(
    Object.entries(use.from ?? {}).map(([port, to]) => [port, bind(to, spanOf())]),
  );
  const ports = definition.ports(config);
  const inherited = Object.entries(inputs)
    .filter(([port, { part }]) => ports.inputs[port]?.parts === 'each' && part === undefined)
    .map(([, { stage, output }]) => nodes.get(stage)?.outputParts[output])
    .find((parts) => parts !== undefined);
  const outputParts = Object.fromEntries(
    Object.entries(ports.outputs).map(([name, output]) => [name, output.parts ?? inherited]),
  );
  const { retries = 0, timeoutMs } = use;
  return {
    id,
    path: [id],
    definition,
    config,
    ports,
    inputs,
    outputParts,
    sources,
    timeoutMs,
    retries,
    resources: {},
    spanOf,
  };
}

function bind(reference: string, span: Span): InputBinding {
  const [stage = '', output = '', part] = reference.split('.');
  return { stage, output, span, ...(part === undefined ? {} : { part }) };
}

const spanIn = (file: string, text: string): Span => ({
  file: { path: file, displayPath: 'tiny.yaml', text },
  start: 0,
  end: text.length,
});

function defaultsOf(definition: StageDefinition): JsonObject {
  const properties = Object.entries(
    Object(definition.schema.properties) as Record<string, { default?: Json }>,
  );
  const defaults = properties.flatMap(([name, field]): [string, Json][] =>
    field.default === undefined ? [] : [[name, field.default]],
  );
  return Object.fromEntries(defaults);
}
