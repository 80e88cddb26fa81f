import { commandLine } from '../config/override.ts';
import type { StageSetup, ValidPipeline } from '../config/valid-pipeline.ts';
import type { Checked } from '../diagnostic/checked.ts';
import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import { parsePointer } from '../source/json-pointer.ts';
import { mapOf, yamlAt } from '../source/yaml-at.ts';
import type { YamlNode } from '../source/yaml-doc.ts';
import type { SourceResolvers } from '../stage/source-resolver.ts';
import { bindInputs } from './bind-inputs.ts';
import { checkBorders } from './check-borders.ts';
import type { Dag, DagNode, SourceField } from './dag.ts';
import { type FoundSources, findSources } from './find-sources.ts';
import { dependenciesOf, type LinkedStage, linkStages } from './link-stages.ts';
import { orderStages } from './order-stages.ts';
import { outputPartsOf } from './output-parts.ts';

export interface BuiltDag {
  readonly dag: Dag;
  /** Of all stages, also of those that could not be connected. */
  readonly sources: readonly SourceField[];
}

/** Follows every reference. The graph is complete only where neither this nor the pipeline had a mistake. */
export function buildDag(pipeline: ValidPipeline, resolvers: SourceResolvers = new Map()): Checked<BuiltDag> {
  const { name, file, params, overridden, tryNext } = pipeline;
  const linked = linkStages(pipeline);
  const { stages, given, borders } = linked.value;
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
  const { path, displayPath } = file;
  const dag = { name, file: path, displayPath, params, overridden, tryNext, given, nodes };
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

interface Surroundings {
  readonly nodes: ReadonlyMap<string, DagNode>;
  readonly located: FoundSources | undefined;
}

function connect(
  { id, idSpan, from, fromComplete, setup, prefix }: LinkedStage,
  { nodes, located }: Surroundings,
): Checked<DagNode | undefined> {
  if (setup === undefined || located === undefined) return { value: undefined, diagnostics: [] };
  const { definition, ports, settled, timeoutMs, retries, resources } = setup;
  const { config, sources } = located;
  const { value: inputs, diagnostics } = bindInputs({
    id,
    prefix,
    span: idSpan,
    from,
    tellsMissing: fromComplete && settled,
    inputs: ports.inputs,
    nodes,
  });
  const parts = outputPartsOf({ id, ports, inputs, nodes });
  if (!parts.ok) return { value: undefined, diagnostics: [...diagnostics, { ...parts.error, span: idSpan }] };
  const complete = fromComplete && Object.keys(inputs).length === from.length;
  // An input that could not be followed may have parts, which the outputs then have: nothing is said of what is not known.
  const partsOpen = Object.entries(ports.inputs).some(
    ([port, { parts }]) => parts === 'each' && !Object.hasOwn(inputs, port),
  );
  if (!complete && partsOpen) return { value: undefined, diagnostics };
  const made = {
    id,
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

/** A value of the command line is shown where it is used: it has no line of its own. */
function spansOf(idSpan: Span, { written, withSpan, declaredAt }: StageSetup): DagNode['spanOf'] {
  return (pointer) => {
    if (pointer === undefined) return idSpan;
    const path = parsePointer(pointer);
    const along = path.map((_, index) => yamlAt(written, path.slice(0, index + 1)));
    const given = along.find(({ node }) => node.usedAt !== undefined)?.node;
    if (given?.usedAt !== undefined && given.span.file.displayPath === commandLine) return given.usedAt;
    const { node, exact } = along.at(-1) ?? { node: written, exact: true };
    const elsewhere = exact ? undefined : (takenAwayAt(written, path) ?? declaredAt?.(path));
    return elsewhere ?? (node === written ? withSpan : node.span);
  };
}

/** Where an overlay takes a field away, or what it stands in. */
function takenAwayAt(written: YamlNode, path: readonly string[]): Span | undefined {
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
