import { didYouMean } from '../core/index.ts';
import {
  broughtState,
  type Dag,
  type DagNode,
  type Digest,
  fewOf,
  listRuns,
  openContent,
  type Plan,
  type PortContent,
  planPipeline,
  recordedPath,
  type Store,
} from '../runtime/index.ts';
import type { CommandCall } from './commands/command-declaration.ts';
import type { PipelineOptions } from './commands/options.ts';
import { UsageError } from './exit-code.ts';
import { openPipeline, splitWords } from './open-pipeline.ts';
import { sharedStoreOf } from './open-shared-store.ts';

/** The content that a command line names, readable until it is disposed of. */
interface OpenArtifact extends AsyncDisposable {
  readonly path: string;
  readonly digest: Digest;
  readonly reference: ArtifactReference;
  /** The run that made it, if the pipeline as it is now has no result. */
  readonly pastRun: string | undefined;
  readonly dag: Dag;
  readonly store: Store;
  /** What a run would do now for the artifact's stage and those that it needs. */
  readonly plan: Plan;
}

/**
 * Opens the artifact that the words of a command name, with a note if it is from a past run. Undefined if the pipeline has
 * mistakes, which are then printed. `wanted` are the types that the command can use, what it does with them
 * ("be exported"), and help for other types.
 */
export async function openArtifact(
  { words, options, context }: CommandCall<PipelineOptions>,
  wanted?: { readonly types: readonly string[]; readonly use: string; readonly help: string },
): Promise<OpenArtifact | undefined> {
  const opened = await openPipeline({ words, options, context, names: 'one' });
  const [name] = opened?.names ?? [];
  if (!opened || name === undefined) return undefined;
  const { dag } = opened;
  const store = await sharedStoreOf({ file: dag.file, options, context });
  const reference = parseReference(dag, name);
  if (wanted && !wanted.types.includes(reference.type))
    throw new UsageError({
      message: `\`${name}\` is of type ${reference.type}, and only one of type ${wanted.types.join(' or ')} can ${wanted.use}`,
      help: wanted.help,
    });
  const plan = await planOf({ dag, store, stage: reference.node.id });
  const { id } = reference.node;
  const overrides = overridesOf(options);
  const { file } = splitWords(words);
  const command = [
    'tuneloom run',
    ...(file === undefined ? [] : [quotedForShell(file)]),
    id,
    ...overrides,
  ].join(' ');
  const { digest, pastRun } = findArtifact({ dag, store, plan, reference, overrides, command });
  const state = await broughtState(store, { digest, name });
  if (state !== 'present')
    throw new UsageError({
      message: `\`${name}\` is ${state === 'missing' ? 'no longer' : 'damaged'} in the store`,
      help: `\`${command}\` makes it again`,
    });
  if (pastRun)
    context.terminal.complain(
      `note: \`${id}\` has no result as the pipeline is now; this is from run ${pastRun}`,
    );
  const content = await openContent(store, digest);
  return {
    path: content.path,
    digest,
    reference,
    pastRun,
    dag,
    store,
    plan,
    [Symbol.asyncDispose]: () => content[Symbol.asyncDispose](),
  };
}

/**
 * Finds the content of a reference: what the pipeline would reuse now, else what the stage wrote last. With overrides, only
 * a result that was computed with them will do.
 */
function findArtifact({
  dag,
  store,
  plan,
  reference,
  overrides,
  command,
}: Pick<OpenArtifact, 'dag' | 'store' | 'plan' | 'reference'> & {
  readonly overrides: readonly string[];
  /** The one that computes it. */
  readonly command: string;
}): Pick<OpenArtifact, 'digest' | 'pastRun'> {
  const { id } = reference.node;
  const decision = plan.stages.get(id)?.decision;
  const current = decision?.kind === 'reuse' ? digestIn(decision.record.outputs, reference) : undefined;
  if (current) return { digest: current, pastRun: undefined };
  if (overrides.length > 0)
    throw new UsageError({
      message: `the stage \`${id}\` has no result with ${overrides.join(' ')}`,
      help: `run it first with \`${command}\``,
    });
  const path = recordedPath(store, dag.file);
  for (const { pipeline, file, stages, run } of listRuns(store)) {
    const outcome = pipeline === dag.name && file === path ? stages[id] : undefined;
    const digest = outcome && 'outputs' in outcome ? digestIn(outcome.outputs, reference) : undefined;
    if (digest) return { digest, pastRun: run };
  }
  throw new UsageError({
    message: `the stage \`${id}\` has not run yet`,
    help: `run it with \`${command}\``,
  });
}

/** The overrides of a command line, as they are typed in a shell. */
const overridesOf = ({ param = [], set = [] }: PipelineOptions): readonly string[] => [
  ...param.map((text) => `-p ${quotedForShell(text)}`),
  ...set.map((text) => `--set ${quotedForShell(text)}`),
];

const quotedForShell = (text: string): string =>
  /^[\w.,:=/@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

function digestIn(
  outputs: Readonly<Record<string, PortContent>>,
  { output, part }: ArtifactReference,
): Digest | undefined {
  const content = outputs[output];
  if (content === undefined || typeof content === 'string') return part === undefined ? content : undefined;
  return part === undefined ? undefined : content.parts[part];
}

/** What a run would do now for a stage and those that it needs, or for the whole pipeline. */
export async function planOf({
  dag,
  store,
  stage,
}: {
  readonly dag: Dag;
  readonly store: Store;
  readonly stage?: string;
}): Promise<Plan> {
  const plan = await planPipeline({ dag, store, targets: stage === undefined ? [] : [stage] });
  if (plan.ok) return plan.value;
  throw new UsageError({ message: plan.error.map(({ message }) => message).join('; ') });
}

/** One content of a pipeline: a stage's output, or a part of it. */
export interface ArtifactReference {
  readonly node: DagNode;
  readonly output: string;
  readonly type: string;
  readonly part: string | undefined;
}

/**
 * Reads `stage[.output][.part]`, where a sub-pipeline counts as a stage with the outputs that it declares. A stage alone
 * means its first output; an output with parts needs one of them.
 */
function parseReference(dag: Dag, text: string): ArtifactReference {
  const { node, path } = findNode(dag, text);
  const { id } = node;
  const outputs = Object.keys(node.ports.outputs);
  const named = outputs.find((name) => name === path[0]);
  const output = named ?? outputs[0];
  if (output === undefined) throw new UsageError({ message: `the stage \`${id}\` has no outputs` });
  const parts = node.outputParts[output] ?? [];
  const [part, ...more] = named === undefined ? path : path.slice(1);
  if (more.length > 0 || (part !== undefined && !parts.includes(part))) {
    const what = `\`${text}\` names neither an output of \`${id}\` nor one of its parts`;
    throw unknown({
      what,
      given: `${id}.${part}`,
      known: [...outputs, ...parts].map((name) => `${id}.${name}`),
    });
  }
  if (part === undefined && parts.length > 0) {
    throw new UsageError({
      message: `\`${text}\` has the parts ${parts.join(', ')}`,
      help: `name one of them, as in \`tuneloom show ${id}.${parts[0]}\``,
    });
  }
  return { node, output, part, type: node.ports.outputs[output]?.type ?? 'file' };
}

/**
 * The stage of a reference and the steps after its name, or the stage that a sub-pipeline's output comes from. The longest
 * name wins, because a name may contain dots.
 */
function findNode(dag: Dag, text: string): { readonly node: DagNode; readonly path: readonly string[] } {
  const steps = text.split('.');
  for (let length = steps.length; length > 0; length -= 1) {
    const name = steps.slice(0, length).join('.');
    const output = dag.subOutputs.get(name);
    const node = dag.nodes.get(output?.stage ?? name);
    if (node !== undefined) return { node, path: [...(output?.names ?? []), ...steps.slice(length)] };
  }
  const [id = ''] = steps;
  const known = [...dag.nodes.keys(), ...dag.subOutputs.keys()];
  throw unknown({ what: `the pipeline ${dag.name} has no stage \`${id}\``, given: text, known });
}

function unknown({
  what,
  given,
  known,
}: {
  what: string;
  given: string;
  known: readonly string[];
}): UsageError {
  const near = didYouMean(given, known);
  return new UsageError({
    message: what,
    help: near === undefined ? `it has ${fewOf(known, 'and')}` : `${near} It has ${fewOf(known, 'and')}`,
  });
}
