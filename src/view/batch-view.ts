import { type Digest, openContent, type RunRecord, type Store } from '../runtime/index.ts';
import { portCodecs } from '../stages/index.ts';
import { isEncodingName, openEncoding, openTokenizer, type Tokenizer } from '../text/index.ts';
import { type BatchItem, batchesOf, type Example, ignoredTarget, namedTexts } from '../training/index.ts';
import { findOutput, readRunOutput, stagesWith } from './read-output.ts';

/** One batch as the loss sees it. */
export interface BatchView {
  readonly run: string;
  readonly stage: string;
  readonly part?: string;
  /** From 1. */
  readonly epoch: number;
  /** From 1, of `batches` in the epoch. */
  readonly batch: number;
  readonly batches: number;
  readonly trained: number;
  readonly masked: number;
  readonly padding: number;
  readonly rows: readonly BatchRowView[];
}

export interface BatchRowView {
  readonly id: string;
  /** Runs of adjacent tokens that are all trained, or all masked: read but not learned. */
  readonly runs: readonly {
    readonly kind: 'trained' | 'masked';
    readonly text: string;
    readonly tokens: number;
  }[];
  /** The number of padding tokens that follow. */
  readonly padding: number;
}

/** The first batch of each content of a run's batches that a training uses first: a stage's part, or all of it. */
export async function viewBatches(store: Store, run: RunRecord): Promise<readonly BatchView[]> {
  const views: BatchView[] = [];
  for (const stage of stagesWith(run, 'batches')) {
    const outcome = run.stages[stage];
    const content = outcome !== undefined && 'outputs' in outcome ? outcome.outputs.batches : undefined;
    if (content === undefined) continue;
    const parts = typeof content === 'string' ? [undefined] : Object.keys(content.parts).slice(0, 1);
    for (const part of parts) {
      const view = await viewBatch(store, { run, stage, part, epoch: 1, batch: 1 });
      if (view !== undefined) views.push(view);
    }
  }
  return views;
}

/** One batch of an epoch; undefined if there is no such batch, or its content is no longer in the store. */
export async function viewBatch(
  store: Store,
  at: {
    readonly run: RunRecord;
    readonly stage: string;
    readonly part: string | undefined;
    readonly epoch: number;
    readonly batch: number;
  },
): Promise<BatchView | undefined> {
  const { run, stage, part, epoch, batch } = at;
  const where = { run, stage, output: 'batches', ...(part === undefined ? {} : { part }) };
  const content = await readRunOutput(store, where, (path) => portCodecs.batches.read(path).read());
  if (content === undefined) return undefined;
  const groups = batchesOf<BatchItem>({ ...content, epoch });
  const group = groups[batch - 1];
  if (group === undefined) return undefined;
  const tokenizer = await tokenizerOf(store, { run, vocabulary: content.vocabulary });
  const rows = rowsOf(
    group.flatMap(namedTexts),
    (tokens) => tokenizer?.decode(tokens) ?? `${tokens.join(' ')} `,
  );
  const tokensOf = (kind: 'trained' | 'masked') =>
    rows.flatMap(({ runs }) => runs).reduce((sum, each) => sum + (each.kind === kind ? each.tokens : 0), 0);
  return {
    run: run.run,
    stage,
    ...(part === undefined ? {} : { part }),
    ...{ epoch, batch, batches: groups.length },
    trained: tokensOf('trained'),
    masked: tokensOf('masked'),
    padding: rows.reduce((sum, row) => sum + row.padding, 0),
    rows,
  };
}

function rowsOf(
  examples: readonly Example[],
  decode: (tokens: readonly number[]) => string,
): readonly BatchRowView[] {
  const width = examples.reduce((most, { inputs }) => Math.max(most, inputs.length), 0);
  return examples.map((example) => ({
    id: example.id,
    runs: tokenRuns(example).map(({ kind, tokens }) => ({
      kind,
      text: decode(tokens),
      tokens: tokens.length,
    })),
    padding: width - example.inputs.length,
  }));
}

/** Adjacent tokens of an example that are all trained, or all masked: read but not learned. */
export interface TokenRun {
  readonly kind: 'trained' | 'masked';
  readonly tokens: readonly number[];
}

/** The first input, then the target of each input. */
export function tokenRuns({ inputs, targets }: Example): readonly TokenRun[] {
  const runs: { readonly kind: TokenRun['kind']; readonly tokens: number[] }[] = [];
  const add = (kind: TokenRun['kind'], token: number | undefined) => {
    if (token === undefined) return;
    const last = runs.at(-1);
    if (last?.kind === kind) last.tokens.push(token);
    else runs.push({ kind, tokens: [token] });
  };
  add('masked', inputs[0]);
  for (const [index, target] of targets.entries()) {
    // A masked target's token is the next input; after the last input it is unknown.
    if (target === ignoredTarget) add('masked', inputs[index + 1]);
    else add('trained', target);
  }
  return runs;
}

/** The tokenizer with a vocabulary: a named encoding, or one that the run made. */
async function tokenizerOf(
  store: Store,
  { run, vocabulary }: { readonly run: RunRecord; readonly vocabulary: string },
): Promise<Tokenizer | undefined> {
  if (isEncodingName(vocabulary)) return await openEncoding(vocabulary);
  for (const digest of await tokenizerDigests(store, run)) {
    await using content = await openContent(store, digest);
    const tokenizer = await openTokenizer(content.path).catch(() => undefined);
    if (tokenizer?.vocabulary === vocabulary) return tokenizer;
  }
  return undefined;
}

async function tokenizerDigests(store: Store, run: RunRecord): Promise<readonly Digest[]> {
  const found: Digest[] = [];
  // A model is too large to be brought for its vocabulary.
  const { bring: _, ...here } = store;
  for (const output of ['tokenizer', 'model'])
    for (const stage of stagesWith(run, output)) {
      const digest = await findOutput(output === 'model' ? here : store, { run, stage, output });
      if (digest !== undefined && !found.includes(digest)) found.push(digest);
    }
  return found;
}
