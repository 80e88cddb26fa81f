import { own } from '../../core/index.ts';
import type { Dag, DagNode, InputBinding } from '../graph/dag.ts';
import { compareMaterial, type Difference } from '../key/compare-material.ts';
import type { Digest, PortContent } from '../key/digest.ts';
import {
  type CacheKey,
  cacheKeyOf,
  checkpointKeyOf,
  type KeyMaterial,
  keyMaterialOf,
  type SourceDigests,
} from '../key/key-material.ts';
import { type ActionRecord, type FoundRecord, findRecord, type LostState } from '../store/action-records.ts';
import { holdsSavedState, namesKept } from '../store/kept-folder.ts';
import type { Store } from '../store/store.ts';
import type { NearestRun, PastRuns } from './past-runs.ts';

/** What planning and running share. */
export interface PlanningContext {
  readonly dag: Dag;
  readonly store: Store;
  readonly sources: SourceDigests;
  readonly past: PastRuns;
  readonly forced: ReadonlySet<string>;
  /** Contents that a run needed and that no remote gave. */
  readonly unreachable?: ReadonlySet<Digest>;
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
  { dag, store, sources, past, forced, unreachable }: PlanningContext,
): Promise<StageFacts> {
  const { node } = stage;
  const inputs = inputsOf(node, stage.known);
  const unresolved = node.sources.flatMap(({ path }) => (sources.has(path) ? [] : [path]));
  if (inputs.kind === 'open') return { ...inputs, unresolved };
  if (unresolved.length > 0) return { kind: 'open', waitsFor: [], unresolved };
  const material = keyMaterialOf({ node, inputs: inputs.contents, sources });
  const key = cacheKeyOf(material);
  const found = withAllOutputs(node, await findRecord(store, key, unreachable));
  const nearest =
    found.kind === 'absent'
      ? past.nearest({ pipeline: dag.name, id: node.id, uses: node.definition.name })
      : undefined;
  const remaining =
    found.kind === 'usable' || found.kind === 'remote'
      ? undefined
      : remainingOf(node, { key, material, store });
  return { kind: 'known', key, material, found, nearest, forced: forced.has(node.id), remaining };
}

function remainingOf(
  node: DagNode,
  {
    key,
    material,
    store,
  }: {
    readonly key: CacheKey;
    readonly material: KeyMaterial;
    readonly store: Store;
  },
): string | undefined {
  const kept = checkpointKeyOf({ node, material });
  const described =
    kept &&
    node.definition.horizon?.describe(node.config, namesKept(store, { kind: 'checkpoints', key: kept }));
  return described ?? (holdsSavedState(store, key) ? 'continues an attempt that was stopped' : undefined);
}

/** A record from before the stage declared an output lacks that output. */
function withAllOutputs(node: DagNode, found: FoundRecord): FoundRecord {
  if (found.kind !== 'usable' && found.kind !== 'remote') return found;
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
  const content = outputs && own(outputs, output);
  if (content === undefined) throw new Error(`${stage} has no output ${output}`);
  return part === undefined ? content : partOf(content, binding);
}

function partOf(content: PortContent, { stage, output, part = '' }: InputBinding): Digest {
  const digest = typeof content === 'object' ? own(content.parts, part) : undefined;
  if (digest === undefined) throw new Error(`${stage}.${output} has no part ${part}`);
  return digest;
}

/** What is known about a stage when it is decided. */
type StageFacts =
  | { readonly kind: 'open'; readonly waitsFor: readonly string[]; readonly unresolved: readonly string[] }
  | {
      readonly kind: 'known';
      readonly key: CacheKey;
      readonly material: KeyMaterial;
      readonly found: FoundRecord;
      /** Looked up only if nothing usable was found. */
      readonly nearest: NearestRun | undefined;
      readonly forced: boolean;
      /** What is left to do after the checkpoints of a shorter run. */
      readonly remaining?: string | undefined;
    };

/** A past run of another stage with more differences than this explains nothing. */
const mostDifferences = 3;

/** Whether a stage has to run, and why. */
function decide(facts: StageFacts): Decision {
  if (facts.kind === 'open') {
    const { waitsFor, unresolved } = facts;
    return { kind: 'undecided', waitsFor, unresolved };
  }
  const { key, found, remaining } = facts;
  if (facts.forced) return { kind: 'run', key, reason: { kind: 'forced' } };
  const run = (reason: RunReason): Decision => ({
    kind: 'run',
    key,
    reason,
    ...(remaining === undefined ? {} : { remaining }),
  });
  switch (found.kind) {
    case 'usable':
      return { kind: 'reuse', key, record: found.record };
    case 'remote':
      return { kind: 'reuse', key, record: found.record, remote: found.remote };
    case 'output-lost':
      return run({ kind: 'output-lost', output: found.output, state: found.state });
    case 'unreadable':
      return run({ kind: 'record-unreadable', path: found.path });
    case 'absent':
      return run(reasonOf(facts));
    default:
      return found satisfies never;
  }
}

function reasonOf({ nearest, material }: Extract<StageFacts, { kind: 'known' }>): RunReason {
  if (nearest === undefined) return { kind: 'never-ran' };
  const comparedWith = nearest.record;
  const differences = compareMaterial(comparedWith.material, material);
  if (differences.length === 0) return { kind: 'never-ran' };
  const match = { comparedWith, differences };
  if (nearest.isItself) return { kind: 'changed', match };
  return differences.length <= mostDifferences ? { kind: 'never-ran', match } : { kind: 'never-ran' };
}

/** Whether a stage has to run. Planning and execution both ask this. */
export type Decision =
  | {
      readonly kind: 'reuse';
      readonly key: CacheKey;
      readonly record: ActionRecord;
      /** The remote that has outputs which are not here. */
      readonly remote?: string;
    }
  | {
      readonly kind: 'run';
      readonly key: CacheKey;
      readonly reason: RunReason;
      /** What is left to do after the checkpoints of a shorter run, in the stage's words, or after an attempt that was stopped. */
      readonly remaining?: string;
    }
  | {
      readonly kind: 'undecided';
      /** Ids of the stages that have to end first. */
      readonly waitsFor: readonly string[];
      /** Addresses of remote sources that are not resolved yet. This or `waitsFor` is not empty. */
      readonly unresolved: readonly string[];
    };

/** A past execution and its differences from the requested one. */
export interface NearestMatch {
  readonly comparedWith: ActionRecord;
  /** Never empty: equal keys have one record. */
  readonly differences: readonly Difference[];
}

export type RunReason =
  | {
      readonly kind: 'never-ran';
      /** The latest execution of a stage with the same `uses`, if it is similar. */
      readonly match?: NearestMatch;
    }
  | {
      readonly kind: 'changed';
      /** The latest execution of the stage itself. */
      readonly match: NearestMatch;
    }
  | { readonly kind: 'forced' }
  | {
      readonly kind: 'output-lost';
      /** `port` or `port.part`. */
      readonly output: string;
      readonly state: LostState;
    }
  | { readonly kind: 'record-unreadable'; readonly path: string };
