import { didYouMean, suggest } from '../../core/index.ts';
import { type Checked, type Diagnostic, fewOf, quoted } from '../diagnostic/diagnostic.ts';
import type { StageDefinition, StageRegistry } from '../stage/stage-definition.ts';
import {
  childOf,
  mapOf,
  mapToJson,
  textOf,
  type YamlEntry,
  type YamlMap,
  type YamlNode,
  yamlToJson,
} from '../yaml/yaml-doc.ts';
import { checkConfig } from './check-config.ts';
import { parseDuration, parseMemory } from './quantity.ts';
import type { DeclaredAt, PipelineStage, StageSetup, WrittenBinding } from './valid-pipeline.ts';

export interface WrittenStage {
  readonly id: string;
  readonly entry: YamlEntry;
  readonly registry: StageRegistry;
  readonly declaredAt?: DeclaredAt | undefined;
}

/** Finds the stage that is used and checks `with` against its schema. */
export function checkStage(stage: WrittenStage): Checked<PipelineStage> {
  const { id, entry } = stage;
  const found = findDefinition(stage);
  const checked: Checked<StageSetup | undefined> =
    found.value === undefined ? { value: undefined, diagnostics: [] } : checkSetup(stage, found.value);
  return {
    value: {
      id,
      idSpan: entry.keySpan,
      ...writtenBindings(entry.value),
      setup: checked.value,
    },
    diagnostics: [...found.diagnostics, ...checked.diagnostics],
  };
}

function checkSetup(
  { id, entry, declaredAt }: WrittenStage,
  definition: StageDefinition,
): Checked<StageSetup | undefined> {
  const stage = mapOf(entry.value);
  const withEntry = stage?.entries.get('with');
  const withSpan = withEntry?.keySpan ?? entry.keySpan;
  const written: YamlMap = mapOf(withEntry?.value) ?? { kind: 'map', entries: new Map(), span: withSpan };
  const isOther = (value: YamlNode): boolean => mapOf(value) === undefined && yamlToJson(value) !== null;
  const misshapen = isOther(entry.value) || (withEntry !== undefined && isOther(withEntry.value));
  if (misshapen || withEntry?.value.reported) return { value: undefined, diagnostics: [] };
  const beside = besideWith(entry.value);
  const checked = checkConfig({ id, definition, written, withSpan, resources: beside.resources });
  const setup = checked.value && {
    definition,
    ...checked.value,
    written,
    withSpan,
    usesSpan: stage?.entries.get('uses')?.value.span,
    declaredAt,
    ...beside,
  };
  return { value: setup, diagnostics: [...checked.diagnostics, ...checkShards(stage, definition)] };
}

/** A number of shards that the stage would not heed. */
function checkShards(stage: YamlMap | undefined, definition: StageDefinition): readonly Diagnostic[] {
  const entry = mapOf(stage?.entries.get('resources')?.value)?.entries.get('shards');
  if (entry === undefined || definition.shards !== undefined) return [];
  return [
    {
      code: 'no-shards',
      message: `${quoted(definition.name)} does its work in one piece`,
      span: entry.keySpan,
      help: 'leave `shards` out; only `generate` can divide its work',
    },
  ];
}

function besideWith(stage: YamlNode): Pick<StageSetup, 'timeoutMs' | 'retries' | 'resources'> {
  const { timeout, retries } = mapToJson(mapOf(stage));
  const { threads, memory, gpus, time, shards, backend } = mapToJson(mapOf(childOf(stage, 'resources')));
  const bytes = parseMemory(memory);
  const timeMs = parseDuration(time);
  return {
    timeoutMs: parseDuration(timeout),
    retries: typeof retries === 'number' ? retries : 0,
    resources: {
      ...(typeof threads === 'number' && { threads }),
      ...(bytes !== undefined && { memory: bytes }),
      ...(typeof gpus === 'number' && { gpus }),
      ...(timeMs !== undefined && { timeMs }),
      ...(typeof shards === 'number' && { shards }),
      ...(typeof backend === 'string' && { backend }),
    },
  };
}

/** The stage that `uses` names, or the id where there is no `uses`. */
function findDefinition(stage: WrittenStage): Checked<StageDefinition | undefined> {
  const { id, entry, registry } = stage;
  const uses = childOf(entry.value, 'uses');
  // Anything but text is a mistake of the pipeline's shape, which reports it.
  if (uses !== undefined && (uses.reported || uses.kind !== 'scalar' || typeof uses.value !== 'string'))
    return { value: undefined, diagnostics: [] };
  const name = uses === undefined ? id : String(uses.value);
  const definition = registry.get(name);
  if (definition !== undefined) return { value: definition, diagnostics: [] };
  const known = [...registry.keys()];
  const diagnostic: Diagnostic =
    uses === undefined ? withoutUses(stage, known) : unknownUses(name, uses, known);
  return { value: undefined, diagnostics: [diagnostic] };
}

function withoutUses({ id, entry }: WrittenStage, known: readonly string[]): Diagnostic {
  return {
    code: 'unknown-stage',
    message: `${quoted(id)} is not a built-in stage, and it has no \`uses\` that names one`,
    span: entry.keySpan,
    help: didYouMean(id, known) ?? `add \`uses:\` with ${fewOf(known.map(quoted), 'or')}`,
  };
}

function unknownUses(name: string, { span }: YamlNode, known: readonly string[]): Diagnostic {
  return {
    code: 'unknown-stage',
    message: `${quoted(name)} is not a built-in stage`,
    span,
    help: name.includes('/')
      ? `a path begins with \`./\`: write \`./${name}\``
      : (didYouMean(name, known) ?? `the stages are ${fewOf(known.map(quoted), 'and')}`),
  };
}

/** A stage's `from` as written. What is not a reference is left to the check of the pipeline's shape. */
export function writtenBindings(stage: YamlNode): Pick<PipelineStage, 'from' | 'fromComplete'> {
  const from = childOf(stage, 'from');
  if (from === undefined) return { from: [], fromComplete: !isMistyped(stage) };
  const written =
    from.kind === 'map'
      ? [...from.entries].flatMap(([port, entry]) => namedBindings(port, entry))
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

/** A map of names to references binds several inputs to one port: `validation.easy`, `validation.hard`. */
const namedBindings = (port: string, { keySpan, value }: YamlEntry) =>
  value.kind === 'map'
    ? [...value.entries].map(([name, entry]) => ({
        port: `${port}.${name}`,
        portSpan: entry.keySpan,
        value: entry.value,
      }))
    : [{ port, portSpan: keySpan, value }];

const isMistyped = (stage: YamlNode): boolean =>
  stage.kind === 'map' &&
  [...stage.entries.keys()].some((key) => suggest(key, ['from', 'uses', 'with']) === 'from');
