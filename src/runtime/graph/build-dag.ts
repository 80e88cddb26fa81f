import { err, ok, type Result } from '../../core/index.ts';
import type { StageSetup, ValidPipeline } from '../config/valid-pipeline.ts';
import { type Checked, type Diagnostic, listOf, quoted, type Span } from '../diagnostic/diagnostic.ts';
import type { SourceResolvers } from '../stage/source-resolver.ts';
import type { StagePorts } from '../stage/stage-definition.ts';
import { mapOf, parsePointer, type YamlNode, yamlAt } from '../yaml/yaml-doc.ts';
import { bindInputs, checkBorders } from './bind-inputs.ts';
import type { Dag, DagNode, InputBinding, SourceField } from './dag.ts';
import { type FoundSources, findSources } from './find-sources.ts';
import { dependenciesOf, type LinkedStage, linkStages } from './link-stages.ts';
import { orderStages } from './order-stages.ts';

interface BuiltDag {
  readonly dag: Dag;
  /** Of all stages, including those that could not be connected. */
  readonly sources: readonly SourceField[];
}

/** Follows every reference. The graph is complete only where there are no diagnostics, here or from the pipeline's checks. */
export function buildDag(
  pipeline: ValidPipeline,
  {
    resolvers = new Map(),
    workingDirectory,
  }: { readonly resolvers?: SourceResolvers; readonly workingDirectory: string },
): Checked<BuiltDag> {
  const { name, file, params, overridden, tryNext } = pipeline;
  const linked = linkStages(pipeline);
  const { stages, subOutputs, borders } = linked.value;
  const { order, cycles } = orderStages(dependenciesOf(stages));
  const diagnostics = [...linked.diagnostics, ...cycles.map((path) => cycle(stages, path))];
  const setups = locateSources(stages, resolvers);
  const nodes = new Map<string, DagNode>();
  for (const id of order) {
    const stage = stages.get(id);
    if (stage === undefined) continue;
    const connected = connect(stage, { nodes, located: setups.get(id) });
    if (connected.value !== undefined) nodes.set(id, connected.value);
    diagnostics.push(...connected.diagnostics);
  }
  diagnostics.push(...checkBorders(borders, nodes));
  const dag = { name, file: file.path, workingDirectory, params, overridden, tryNext, subOutputs, nodes };
  return { value: { dag, sources: [...setups.values()].flatMap(({ sources }) => sources) }, diagnostics };
}

function locateSources(
  stages: ReadonlyMap<string, LinkedStage>,
  resolvers: SourceResolvers,
): ReadonlyMap<string, FoundSources> {
  const located = [...stages.values()].map(
    ({ id, setup, folder }) => [id, setup && findSources(setup, { folder, resolvers })] as const,
  );
  return new Map(located.filter((entry): entry is [string, FoundSources] => entry[1] !== undefined));
}

function connect(
  { id, path, idSpan, from, fromComplete, setup }: LinkedStage,
  {
    nodes,
    located,
  }: { readonly nodes: ReadonlyMap<string, DagNode>; readonly located: FoundSources | undefined },
): Checked<DagNode | undefined> {
  if (setup === undefined || located === undefined) return { value: undefined, diagnostics: [] };
  const { definition, ports, valid, timeoutMs, retries, resources } = setup;
  const { config, sources } = located;
  const { value: inputs, diagnostics } = bindInputs({
    id,
    path,
    span: idSpan,
    from,
    reportsMissing: fromComplete && valid,
    inputs: ports.inputs,
    nodes,
  });
  const parts = outputPartsOf({ id, ports, inputs, nodes });
  if (!parts.ok) return { value: undefined, diagnostics: [...diagnostics, { ...parts.error, span: idSpan }] };
  const complete = fromComplete && Object.keys(inputs).length === from.length;
  // An unresolved input may have parts, which the outputs would have too, so the node is left out.
  const partsOpen = Object.entries(ports.inputs).some(
    ([port, { parts }]) => parts === 'each' && !Object.hasOwn(inputs, port),
  );
  if (!complete && partsOpen) return { value: undefined, diagnostics };
  const made = {
    id,
    path,
    config,
    sources,
    ports,
    inputs,
    outputParts: parts.value,
    spanOf: spansOf(idSpan, setup),
    ...(setup.usesSpan && { usesSpan: setup.usesSpan }),
    ...(setup.declaredAt && { declaredAt: setup.declaredAt }),
  };
  return { value: { ...made, definition, timeoutMs, retries, resources }, diagnostics };
}

/** A value from the command line is shown where it is used, since no file has it. */
function spansOf(idSpan: Span, { written, withSpan, declaredAt }: StageSetup): DagNode['spanOf'] {
  return (pointer) => {
    if (pointer === undefined) return idSpan;
    const path = parsePointer(pointer);
    const along = path.map((_, index) => yamlAt(written, path.slice(0, index + 1)));
    const given = along.find(({ node }) => node.usedAt !== undefined)?.node;
    if (given?.usedAt !== undefined && given.span.file.isCommandLine) return given.usedAt;
    const { node, exact } = along.at(-1) ?? { node: written, exact: true };
    const elsewhere = exact ? undefined : (removedAt(written, path) ?? declaredAt?.(path));
    return elsewhere ?? (node === written ? withSpan : node.span);
  };
}

/** Where an overlay removes a field or a map around it. */
function removedAt(written: YamlNode, path: readonly string[]): Span | undefined {
  const places = path.map((name, index) =>
    mapOf(yamlAt(written, path.slice(0, index)).node)?.removed?.get(name),
  );
  return places.find((span) => span !== undefined);
}

function cycle(stages: ReadonlyMap<string, LinkedStage>, path: readonly string[]): Diagnostic {
  const [first = '', second = first] = path;
  const stage = stages.get(first);
  const span = stage?.from.find(({ target }) => target?.stage === second)?.span ?? stage?.idSpan;
  const names = listOf(path.slice(0, -1), 'and');
  return {
    code: 'cycle',
    message:
      path.length === 2
        ? `stage ${quoted(first)} needs itself`
        : `the stages ${names} need each other: ${path.join(' <- ')}`,
    ...(span !== undefined && { span }),
  };
}

type OutputParts = DagNode['outputParts'];

/** The parts of each output: those that the stage makes, or those of the inputs of its `each` ports. */
function outputPartsOf({
  id,
  ports,
  inputs,
  nodes,
}: {
  readonly id: string;
  readonly ports: StagePorts;
  readonly inputs: Readonly<Record<string, InputBinding>>;
  readonly nodes: ReadonlyMap<string, DagNode>;
}): Result<OutputParts, Omit<Diagnostic, 'span'>> {
  const given = Object.entries(inputs)
    .filter(([port, { part }]) => ports.inputs[port]?.parts === 'each' && part === undefined)
    .map(([port, { stage, output }]) => ({ port, parts: nodes.get(stage)?.outputParts[output] }))
    .filter((input): input is { port: string; parts: readonly string[] } => input.parts !== undefined);
  const [first, ...others] = given;
  const different = others.find(({ parts }) => !sameNames(parts, first?.parts ?? []));
  if (first !== undefined && different !== undefined)
    return err({
      code: 'part-mismatch',
      message: `stage ${quoted(id)} is given the parts ${listOf(first.parts, 'and')} as ${quoted(first.port)}, and ${listOf(different.parts, 'and')} as ${quoted(different.port)}`,
      help: 'bind one part of each, or outputs with the same parts',
    });
  const parts = Object.fromEntries(
    Object.entries(ports.outputs).map(([name, output]) => [name, output.parts ?? first?.parts]),
  );
  const clash = Object.values(parts)
    .flatMap((names) => names ?? [])
    .find((name) => Object.hasOwn(ports.outputs, name));
  return clash === undefined ? ok(parts) : err(nameClash(id, clash));
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name) => b.includes(name));

const nameClash = (id: string, name: string): Omit<Diagnostic, 'span'> => ({
  code: 'name-clash',
  message: `${quoted(name)} is both an output and a part of stage ${quoted(id)}, so a reference could mean either`,
  help: 'give the part another name',
});
