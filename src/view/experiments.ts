import { readFile } from 'node:fs/promises';
import { isList, isObject, type Json, type JsonObject, own, UserError } from '../core/index.ts';
import { parseScores, type Score } from '../metrics/index.ts';
import {
  contentState,
  type Digest,
  keyedContent,
  openContent,
  type RunRecord,
  readRecord,
  type StageOutcome,
  type Store,
} from '../runtime/index.ts';
import { type KeptLoss, readKeptLoss } from './kept-loss.ts';

/** What one run, or one point of a sweep, was given and what came of it. */
export interface Experiment {
  readonly run: string;
  /** The label of a sweep's point: `epochs=2,learning_rate=0.0001`. */
  readonly point?: string;
  readonly pipeline: string;
  /** The pipeline file, from the store's parent folder. */
  readonly file: string;
  /** ISO 8601, UTC. */
  readonly started_at: string;
  /** Of a point: `failed` if one of its stages failed. */
  readonly state: RunRecord['outcome'];
  /** The duration of the run; of a point the sum over its stages that ran. Absent while it is unknown. */
  readonly milliseconds?: number;
  readonly ran: number;
  readonly reused: number;
  readonly failed: number;
  readonly skipped: number;
  /** The pipeline's params, with those of the point. */
  readonly params: JsonObject;
  /**
   * Every field of every stage's configuration that is part of its key, by stage and field:
   * `train.optimizer.learning_rate`. A source is the digest of its content. A stage that failed has none.
   */
  readonly fields: JsonObject;
  /** Without those that gc has removed. */
  readonly scores: readonly StageScore[];
  /** Of each training, the losses of the weights that it kept. */
  readonly losses: readonly StageLoss[];
}

/** A figure of one evaluation. */
export interface StageScore extends Score {
  /** The stage's id in the pipeline, the same at every point of a sweep. */
  readonly stage: string;
}

/** The losses of the weights that a training kept, where it measured them. */
export interface StageLoss extends KeptLoss {
  readonly stage: string;
}

/** Reads runs as experiments, and keeps what several of them share. */
export class ExperimentReader {
  readonly #store: Store;
  readonly #fields = new Map<string, JsonObject>();
  readonly #scores = new Map<Digest, Promise<readonly Score[]>>();
  readonly #losses = new Map<string, Promise<KeptLoss | undefined>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** One experiment; of a sweep, one for each point in the sweep's order. */
  async read(record: RunRecord): Promise<readonly Experiment[]> {
    const { points = [] } = record;
    if (points.length === 0) {
      const stages = new Map(Object.entries(record.stages));
      const { outcome, milliseconds } = record;
      const isOver = outcome !== 'running' && outcome !== 'killed';
      const time = isOver ? { milliseconds } : {};
      return [{ ...(await this.#experiment(record, stages)), state: outcome, ...time }];
    }
    return await Promise.all(
      points.map(async ({ label, params, stages: names }) => {
        const stages = new Map(
          Object.entries(names).flatMap(([id, node]) => {
            const outcome = own(record.stages, node);
            return outcome === undefined ? [] : [[id, outcome] as const];
          }),
        );
        const experiment = await this.#experiment(record, stages);
        return {
          ...experiment,
          point: label,
          params: { ...record.params, ...params },
          state: stateOfPoint(record, experiment),
          milliseconds: [...stages.values()].reduce((sum, stage) => sum + durationOf(stage), 0),
        };
      }),
    );
  }

  async #experiment(
    record: RunRecord,
    stages: ReadonlyMap<string, StageOutcome>,
  ): Promise<Omit<Experiment, 'state'>> {
    const { run, pipeline, file, startedAt, params } = record;
    const count = (decision: StageOutcome['decision']) =>
      [...stages.values()].filter((stage) => stage.decision === decision).length;
    const fields: Record<string, Json> = {};
    const scores: Promise<readonly StageScore[]>[] = [];
    const losses: Promise<readonly StageLoss[]>[] = [];
    for (const [stage, outcome] of stages) {
      const config = 'key' in outcome ? this.#fieldsOf(outcome.key) : {};
      for (const [name, value] of Object.entries(config)) fields[`${stage}.${name}`] = value;
      const outputs = 'outputs' in outcome ? outcome.outputs : {};
      const [scored, history] = [own(outputs, 'scores'), own(outputs, 'history')];
      if (typeof scored === 'string')
        scores.push(this.#scoresOf(scored).then((found) => found.map((score) => ({ stage, ...score }))));
      if (typeof history === 'string')
        losses.push(
          this.#lossOf(history, config.keep === 'best').then((loss) => (loss ? [{ stage, ...loss }] : [])),
        );
    }
    return {
      ...{ run, pipeline, file, started_at: startedAt, params, fields },
      ...{ ran: count('ran'), reused: count('reused'), failed: count('failed'), skipped: count('skipped') },
      scores: (await Promise.all(scores)).flat(),
      losses: (await Promise.all(losses)).flat(),
    };
  }

  #fieldsOf(key: Keyed['key']): JsonObject {
    const known = this.#fields.get(key);
    if (known !== undefined) return known;
    const found = readRecord(this.#store, key);
    const fields = found.kind === 'usable' ? flatten(found.record.material.config) : {};
    this.#fields.set(key, fields);
    return fields;
  }

  #scoresOf(digest: Digest): Promise<readonly Score[]> {
    const known = this.#scores.get(digest) ?? readScores(this.#store, digest);
    this.#scores.set(digest, known);
    return known;
  }

  #lossOf(digest: Digest, keepsBest: boolean): Promise<KeptLoss | undefined> {
    const name = `${digest} ${keepsBest}`;
    const known =
      this.#losses.get(name) ?? readIfReadable(this.#store, digest, (path) => readKeptLoss(path, keepsBest));
    this.#losses.set(name, known);
    return known;
  }
}

type Keyed = Extract<StageOutcome, { readonly key: unknown }>;

function stateOfPoint({ outcome }: RunRecord, { failed, skipped }: Omit<Experiment, 'state'>) {
  // The run may have failed at another point.
  if (outcome !== 'failed') return outcome;
  return failed + skipped > 0 ? 'failed' : 'succeeded';
}

const durationOf = (outcome: StageOutcome): number => ('milliseconds' in outcome ? outcome.milliseconds : 0);

/** A configuration's fields by their dotted paths; a list is one value. */
function flatten(config: JsonObject, prefix = ''): JsonObject {
  return Object.fromEntries(
    Object.entries(config).flatMap(([name, value]): [string, Json][] => {
      const path = `${prefix}${name}`;
      const content = keyedContent(value);
      if (content !== undefined) return [[path, content]];
      if (!isObject(value) || Object.keys(value).length === 0) return [[path, withoutMarks(value)]];
      return Object.entries(flatten(value, `${path}.`));
    }),
  );
}

/** A list with its sources as digests. */
function withoutMarks(value: Json): Json {
  const content = keyedContent(value);
  if (content !== undefined) return content;
  if (isList(value)) return value.map(withoutMarks);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutMarks(item)]));
}

const readScores = async (store: Store, digest: Digest): Promise<readonly Score[]> =>
  (await readIfReadable(store, digest, async (path) => parseScores(await readFile(path, 'utf8'), path)))
    ?.metrics ?? [];

/** Undefined if gc has removed the content, or if a stage of the user's wrote something else under that name. */
async function readIfReadable<Value>(
  store: Store,
  digest: Digest,
  read: (path: string) => Promise<Value>,
): Promise<Value | undefined> {
  if ((await contentState(store, digest)) !== 'present') return undefined;
  await using content = await openContent(store, digest);
  try {
    return await read(content.path);
  } catch (error) {
    if (error instanceof UserError || (error as NodeJS.ErrnoException).code === 'EISDIR') return undefined;
    throw error;
  }
}
