import type { Dag, DagNode, InputBinding } from '../graph/dag.ts';
import { checkpointKeyOf } from '../key/kept-keys.ts';
import { cacheKeyOf, type KeyMaterial, keyMaterialOf, type SourceDigests } from '../key/key-material.ts';
import { type FoundRecord, findRecord } from '../store/action-records.ts';
import type { Digest, PortContent } from '../store/digest.ts';
import { namesKept } from '../store/kept-folder.ts';
import type { Store } from '../store/store.ts';
import { type Decision, decide, type StageFacts } from './decide.ts';
import type { PastRuns } from './past-runs.ts';

/** What planning and running share. */
export interface PlanningContext {
  readonly dag: Dag;
  readonly store: Store;
  readonly sources: SourceDigests;
  readonly past: PastRuns;
  readonly forced: ReadonlySet<string>;
}

/** Decides a stage, with the outputs that are known so far. */
export async function decideStage(
  stage: { readonly node: DagNode; readonly known: KnownOutputs },
  context: PlanningContext,
): Promise<Decision> {
  return decide(await factsOf(stage, context));
}

async function factsOf(
  stage: { readonly node: DagNode; readonly known: KnownOutputs },
  { dag, store, sources, past, forced }: PlanningContext,
): Promise<StageFacts> {
  const { node } = stage;
  const inputs = inputsOf(node, stage.known);
  const unresolved = node.sources.flatMap(({ path }) => (sources.has(path) ? [] : [path]));
  if (inputs.kind === 'open') return { ...inputs, unresolved };
  if (unresolved.length > 0) return { kind: 'open', waitsFor: [], unresolved };
  const material = keyMaterialOf({ node, inputs: inputs.contents, sources });
  const key = cacheKeyOf(material);
  const found = withAllOutputs(node, await findRecord(store, key));
  const nearest =
    found.kind === 'absent'
      ? past.nearest({ pipeline: dag.name, id: node.id, uses: node.definition.name })
      : undefined;
  const remaining = found.kind === 'usable' ? undefined : remainingOf(node, { material, store });
  return { kind: 'known', key, material, found, nearest, forced: forced.has(node.id), remaining };
}

function remainingOf(
  node: DagNode,
  { material, store }: { readonly material: KeyMaterial; readonly store: Store },
): string | undefined {
  const key = checkpointKeyOf({ node, material });
  return (
    key && node.definition.horizon?.describe(node.config, namesKept(store, { kind: 'checkpoints', key }))
  );
}

/** A record from before the stage declared an output lacks that output. */
function withAllOutputs(node: DagNode, found: FoundRecord): FoundRecord {
  if (found.kind !== 'usable') return found;
  const output = Object.keys(node.ports.outputs).find((port) => !Object.hasOwn(found.record.outputs, port));
  return output === undefined ? found : { kind: 'output-lost', output, state: 'missing' };
}

/** The outputs of the stages that have ended, by stage and output. */
export type KnownOutputs = ReadonlyMap<string, Readonly<Record<string, PortContent>>>;

/** The inputs of a stage, or the stages that it waits for. */
type StageInputs =
  | { readonly kind: 'known'; readonly contents: Readonly<Record<string, PortContent>> }
  | { readonly kind: 'open'; readonly waitsFor: readonly string[] };

export function inputsOf(node: DagNode, known: KnownOutputs): StageInputs {
  const bindings = Object.entries(node.inputs);
  const waitsFor = [...new Set(bindings.map(([, { stage }]) => stage))].filter((stage) => !known.has(stage));
  if (waitsFor.length > 0) return { kind: 'open', waitsFor };
  return {
    kind: 'known',
    contents: Object.fromEntries(bindings.map(([port, to]) => [port, contentAt(to, known)])),
  };
}

function contentAt(binding: InputBinding, known: KnownOutputs): PortContent {
  const { stage, output, part } = binding;
  const outputs = known.get(stage);
  const content = outputs !== undefined && Object.hasOwn(outputs, output) ? outputs[output] : undefined;
  if (content === undefined) throw new Error(`${stage} has no output ${output}`);
  return part === undefined ? content : partOf(content, binding);
}

function partOf(content: PortContent, { stage, output, part = '' }: InputBinding): Digest {
  const digest =
    typeof content === 'object' && Object.hasOwn(content.parts, part) ? content.parts[part] : undefined;
  if (digest === undefined) throw new Error(`${stage}.${output} has no part ${part}`);
  return digest;
}
