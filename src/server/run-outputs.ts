import { createHash } from 'node:crypto';
import { canonicalJson, UserError } from '../core/index.ts';
import {
  broughtState,
  contentState,
  type Dag,
  type Digest,
  openContent,
  type PortContent,
  type RunRecord,
  readRecord,
  type StageOutcome,
  type StagePorts,
  type Store,
} from '../runtime/index.ts';
import { stageRegistry } from '../stages/index.ts';
import { isEncodingName, openEncoding, openTokenizer, type Tokenizer } from '../text/index.ts';
import { notFound } from './answers.ts';

/** One content that a run made or reused. */
export interface RunOutput {
  readonly stage: string;
  readonly uses: string;
  readonly output: string;
  readonly part?: string;
  /** `records`, `model` and so on; `file` if a user's stage wrote it and the pipeline no longer says what it is. */
  readonly type: string;
  readonly digest: Digest;
}

type Done = Extract<StageOutcome, { readonly outputs: unknown }>;

/** Every content of a run, in the order of its stages. */
export function outputsOf(
  store: Store,
  { run, dag }: { run: RunRecord; dag: Dag | undefined },
): readonly RunOutput[] {
  return Object.entries(run.stages).flatMap(([stage, outcome]) => {
    if (!('outputs' in outcome)) return [];
    const ports = portsOf(store, { stage, outcome, dag });
    return Object.entries(outcome.outputs).flatMap(([output, content]) =>
      contentsOf(content).map(({ part, digest }) => ({
        stage,
        uses: outcome.uses,
        output,
        ...(part === undefined ? {} : { part }),
        type: ports?.outputs[output]?.type ?? 'file',
        digest,
      })),
    );
  });
}

const contentsOf = (content: PortContent): readonly { readonly part?: string; readonly digest: Digest }[] =>
  typeof content === 'string'
    ? [{ digest: content }]
    : Object.entries(content.parts).map(([part, digest]) => ({ part, digest }));

/** What the stage declares now, or what the configuration of its record declared then. */
function portsOf(
  store: Store,
  { stage, outcome, dag }: { stage: string; outcome: Done; dag: Dag | undefined },
): StagePorts | undefined {
  const node = dag?.nodes.get(stage);
  if (node?.definition.name === outcome.uses) return node.ports;
  const found = readRecord(store, outcome.key);
  if (found.kind !== 'usable') return undefined;
  try {
    return stageRegistry.get(outcome.uses)?.ports(found.record.material.config);
  } catch {
    // The configuration of another release may lack what this one reads.
    return undefined;
  }
}

/** Opens a content of a run for reading. */
export async function openOutput(
  store: Store,
  outputs: readonly RunOutput[],
  wanted: Pick<RunOutput, 'stage' | 'output'> & { readonly part?: string | undefined },
) {
  const found = outputs.find(
    ({ stage, output, part }) => stage === wanted.stage && output === wanted.output && part === wanted.part,
  );
  const name = [wanted.stage, wanted.output, ...(wanted.part === undefined ? [] : [wanted.part])].join('.');
  if (found === undefined) throw notFound(`result ${name} in this run`);
  const state = await broughtState(store, { digest: found.digest, name });
  if (state !== 'present')
    throw new UserError({
      code: 'not-found',
      message: `${name} is ${state === 'missing' ? 'no longer' : 'damaged'} in the store`,
      help: `\`tuneloom run\` makes it again`,
    });
  return { ...found, content: await openContent(store, found.digest) };
}

/** The tokenizer with a vocabulary: a named encoding, or one among the outputs of a run. */
export async function findTokenizer(
  vocabulary: string,
  { store, outputs }: { readonly store: Store; readonly outputs: readonly RunOutput[] },
): Promise<Tokenizer | undefined> {
  if (isEncodingName(vocabulary)) return await openEncoding(vocabulary);
  for (const { type, digest } of outputs) {
    if (type !== 'tokenizer' && type !== 'model') continue;
    if ((await contentState(store, digest)) !== 'present') continue;
    await using content = await openContent(store, digest);
    const tokenizer = await openTokenizer(content.path).catch(() => undefined);
    if (tokenizer?.vocabulary === vocabulary) return tokenizer;
  }
  return undefined;
}

/**
 * Who answered: equal for the same stage version, settings and model, whatever the prompts, so that a longer list of
 * prompts does not make another model of it.
 */
export function answererOf(store: Store, outcome: Done): string {
  const found = readRecord(store, outcome.key);
  if (found.kind !== 'usable') return outcome.key.slice(0, 16);
  const { prompts: _, ...inputs } = found.record.material.inputs;
  return createHash('sha256')
    .update(canonicalJson({ ...found.record.material, inputs }))
    .digest('hex')
    .slice(0, 16);
}
