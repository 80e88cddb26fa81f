import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../../core/index.ts';
import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { StageHost, WorkShare } from '../../runtime/index.ts';
import type { ResponseRecord } from '../../text/index.ts';
import type { PlacedResponse } from './join-responses.ts';
import type { Prompt } from './prompt.ts';
import { ResponseCache } from './response-cache.ts';

/** What one run of the stage works on, whatever its mode and wherever the model is. */
export interface Generation {
  readonly config: GenerateConfig;
  readonly prompts: readonly Prompt[];
  /** What the prompts' task says beside the configuration; a part of what results are cached by. */
  readonly settings?: JsonObject;
  /** Which of the prompts are answered; all if undefined. */
  readonly share: WorkShare | undefined;
  /** A private folder for what an interrupted run leaves to the next. */
  readonly statePath: string;
  /** Where results are cached across keys; undefined if nothing may be reused. */
  readonly memoPath: string | undefined;
  readonly host: StageHost;
}

/** How a mode of the stage computes a result for each prompt. Results are cached as JSON. */
export interface GenerationMode<Result extends Json> {
  /** The parts of a prompt that its result depends on. */
  readonly cacheKey: (prompt: Prompt) => readonly Json[];
  /** A cached value as a result; undefined if it is not one. */
  readonly decode: (value: unknown) => Result | undefined;
  /** Calls `onResult` once for each prompt, in any order. */
  readonly compute: (
    prompts: readonly Prompt[],
    onResult: (done: { readonly id: string; readonly result: Result; readonly tokens?: number }) => void,
  ) => Promise<void>;
  /** What the result adds to the response. */
  readonly responseFields: (prompt: Prompt, result: Result) => Partial<ResponseRecord>;
}

/** The responses of the share in the order of the prompts, and measurements of the run. */
export interface Generated {
  readonly responses: readonly PlacedResponse[];
  readonly measurements: Readonly<Record<string, Json>>;
}

/**
 * Computes the results that the response cache lacks. Without a shared cache, as when the stage is forced, it holds
 * only what an interrupted attempt at the same key left. `fingerprint` names the engine; results never cross engines.
 */
export async function generate<Result extends Json>(
  { prompts: all, settings, share, memoPath, statePath, host }: Generation,
  { fingerprint, mode }: { readonly fingerprint: string; readonly mode: GenerationMode<Result> },
): Promise<Generated> {
  const { decode, compute, responseFields } = mode;
  const cacheKey = (prompt: Prompt): readonly Json[] =>
    settings === undefined ? mode.cacheKey(prompt) : [settings, ...mode.cacheKey(prompt)];
  // Prompts with equal keys share one result, so they are in the same share.
  const isOwn = (prompt: Prompt): boolean =>
    share === undefined || bucketOf(JSON.stringify(cacheKey(prompt)), share.of) === share.index;
  const placed = all.flatMap((prompt, position) => (isOwn(prompt) ? [{ position, prompt }] : []));
  const prompts = placed.map(({ prompt }) => prompt);
  const cache = await ResponseCache.open({ folder: memoPath ?? statePath, fingerprint }, decode);
  const missing = prompts.filter((prompt) => cache.find(cacheKey(prompt)) === undefined);
  const distinct = new Map(missing.map((prompt) => [JSON.stringify(cacheKey(prompt)), prompt]));
  const pending = new Map([...distinct.values()].map((prompt) => [prompt.id, prompt]));
  const cached = prompts.length - missing.length;
  const progress = new ProgressCounter(host, { total: cached + pending.size, cached });
  await compute([...pending.values()], ({ id, result, tokens = 0 }) => {
    const prompt = pending.get(id);
    if (prompt === undefined) throw new Error(`A result came for ${id}, which was not requested`);
    cache.add(cacheKey(prompt), result);
    progress.add(tokens);
  });
  const responses = placed.map(({ position, prompt }) => {
    const { id, text, expected, fields, sampleOf } = prompt;
    const sample = settings === undefined || sampleOf === undefined ? {} : { sample_of: sampleOf };
    const result = cache.find(cacheKey(prompt));
    if (result === undefined) throw new Error(`No result came for ${id}`);
    return { position, id, prompt: text, expected, fields, ...sample, ...responseFields(prompt, result) };
  });
  return { responses, measurements: progress.measurements() };
}

/** One of `count` buckets for a text, the same on every machine. */
const bucketOf = (text: string, count: number): number =>
  createHash('sha256').update(text).digest().readUInt32BE() % count;

/** Counts results and their tokens, and reports each. */
class ProgressCounter {
  readonly #host: StageHost;
  readonly #total: number;
  readonly #begun = performance.now();
  readonly #cached: number;
  #results = 0;
  #tokens = 0;

  /** `cached` of the `total` results are known beforehand. */
  constructor(host: StageHost, { total, cached }: { total: number; cached: number }) {
    this.#host = host;
    this.#total = total;
    this.#cached = cached;
  }

  add(tokens: number): void {
    this.#results += 1;
    this.#tokens += tokens;
    this.#host.report({
      type: 'progress',
      unit: 'answer',
      done: this.#cached + this.#results,
      total: this.#total,
      figures: this.#tokens === 0 ? {} : { tokens_per_second: this.#tokensPerSecond() },
    });
  }

  measurements(): Readonly<Record<string, Json>> {
    return {
      answers: this.#results,
      ...(this.#cached === 0 ? {} : { answers_from_before: this.#cached }),
      seconds: Math.round(performance.now() - this.#begun) / 1000,
      ...(this.#tokens === 0 ? {} : { tokens: this.#tokens, tokens_per_second: this.#tokensPerSecond() }),
    };
  }

  #tokensPerSecond(): number {
    return Math.round((1000 * this.#tokens) / (performance.now() - this.#begun));
  }
}
