import { randomUUID } from 'node:crypto';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { UserError } from '../../core/index.ts';
import {
  ContinuousBatch,
  type GenerationSettings,
  longestText,
  promptLength,
  rowsPerPass,
  Sequence,
  scorePrompts,
} from '../../model/index.ts';
import type { LocalModel } from '../../stages/index.ts';
import type { PromptReader, ReadPrompt } from './prompt-reader.ts';
import type { AnswerPiece, AnswerSettings, ModelAnswer, TextJob } from './protocol.ts';
import { ServedText } from './served-text.ts';
import { tokenNames } from './token-names.ts';

interface EngineOptions {
  readonly local: LocalModel;
  readonly reader: PromptReader;
  readonly batchSize: number;
  /** The most tokens of a text, prompt included. */
  readonly contextLength: number;
  readonly send: (answer: ModelAnswer) => void;
}

/** An answer whose prompt is scored before anything is written. */
interface ScoredText {
  readonly text: ServedText;
  readonly prompt: ReadPrompt;
  readonly top: number;
  readonly maxNewTokens: number;
}

/**
 * Writes the answers to requests that come at any time, as many at once as a batch has rows. An answer depends on its
 * own request alone.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #batch: ContinuousBatch<ServedText>;
  readonly #nameOf: ReturnType<typeof tokenNames>;
  readonly #texts = new Map<number, readonly ServedText[]>();
  #toScore: readonly ScoredText[] = [];
  #wake: () => void = () => {};
  #load = '';

  constructor(options: EngineOptions) {
    const { local, batchSize, contextLength } = options;
    this.#options = options;
    this.#batch = new ContinuousBatch({ model: local.model, batchSize, longest: contextLength });
    this.#nameOf = tokenNames(local.tokenizer);
  }

  /** Takes in a request, or refuses it. */
  write(id: number, job: TextJob): void {
    const { send } = this.#options;
    try {
      const prompts = job.prompts.map((source) => this.#options.reader.read(source));
      const rooms = prompts.map((prompt) => this.#roomFor(prompt, job.settings.maxNewTokens));
      send({ type: 'begun', id, promptTokens: prompts.map(({ tokens }) => tokens.length) });
      const texts = prompts.flatMap((prompt, index) =>
        Array.from({ length: job.samples }, (_, sample) =>
          this.#add(id, {
            job,
            prompt,
            sample,
            choice: index * job.samples + sample,
            room: rooms[index] ?? 0,
          }),
        ),
      );
      this.#texts.set(id, texts);
      this.#forgetIfOver(id);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const { code, message } = error;
      const field = job.prompts[0]?.kind === 'chat' ? 'messages' : 'prompt';
      send({ type: 'refused', id, refusal: { message, code: code.replaceAll('-', '_'), field } });
      return;
    }
    this.#wake();
  }

  /** Ends the answers to a request; their rows are free after the present step. */
  cancel(id: number): void {
    for (const text of this.#texts.get(id) ?? []) {
      text.cancel();
      this.#batch.remove(text);
    }
    this.#toScore = this.#toScore.filter(({ text }) => !text.isOver);
    this.#texts.delete(id);
  }

  /** Writes for as long as the process lives. */
  async run(): Promise<never> {
    for (;;) {
      this.#tellLoad();
      if (this.#batch.active + this.#batch.waiting + this.#toScore.length === 0)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      await yieldToEventLoop();
      await this.#scoreSome();
      if (this.#batch.active + this.#batch.waiting > 0) await this.#batch.step();
    }
  }

  #tellLoad(): void {
    const [running, waiting] = [this.#batch.active, this.#batch.waiting + this.#toScore.length];
    if (this.#load === `${running} ${waiting}`) return;
    this.#load = `${running} ${waiting}`;
    this.#options.send({ type: 'load', running, waiting });
  }

  /** How many tokens may follow a prompt. Throws a UserError if that is fewer than are asked for. */
  #roomFor({ tokens }: ReadPrompt, wanted: number | undefined): number {
    const { contextLength, local } = this.#options;
    const limit = Math.min(contextLength, longestText(local.model.config, tokens.length));
    const room = limit - tokens.length;
    if (room >= (wanted ?? 1)) return wanted ?? room;
    throw new UserError({
      code: 'context-length-exceeded',
      message: `the context has ${limit} tokens; the prompt has ${tokens.length}${wanted === undefined ? ', which leaves no room for an answer' : `, and ${wanted} are asked for`}`,
    });
  }

  #add(
    id: number,
    {
      job,
      prompt,
      sample,
      choice,
      room,
    }: {
      readonly job: TextJob;
      readonly prompt: ReadPrompt;
      readonly sample: number;
      readonly choice: number;
      readonly room: number;
    },
  ): ServedText {
    const { local, send } = this.#options;
    const settings = generationSettings(job.settings, { room, endTokens: local.endTokens });
    const { tokens, stop, stopTokens } = prompt;
    const text = new ServedText({
      choice,
      sequence: new Sequence({
        prompt: { id: drawsOf(job, sample), tokens, stop, stopTokens },
        tokenizer: local.tokenizer,
        settings,
      }),
      maxNewTokens: room,
      stop: [...settings.stop, ...stop],
      logprobs: job.logprobs,
      stream: job.stream,
      nameOf: this.#nameOf,
      onPiece: (piece) => this.#told(id, piece),
      onFailure: (error) => {
        send({ type: 'failed', id, message: error instanceof Error ? error.message : String(error) });
        this.cancel(id);
      },
    });
    if (job.echo && job.logprobs !== undefined) {
      this.#toScore = [...this.#toScore, { text, prompt, top: job.logprobs, maxNewTokens: room }];
      return text;
    }
    if (job.echo) text.echo({ ...prompt, tokenizer: local.tokenizer, scored: undefined });
    if (room > 0) this.#batch.add(text);
    else text.end();
    return text;
  }

  #told(id: number, piece: AnswerPiece): void {
    this.#options.send({ type: 'piece', id, piece });
    if (piece.ended !== undefined) this.#forgetIfOver(id);
  }

  #forgetIfOver(id: number): void {
    if (this.#texts.get(id)?.every(({ isOver }) => isOver)) this.#texts.delete(id);
  }

  /** One pass over prompts of one padded length whose tokens are scored. */
  async #scoreSome(): Promise<void> {
    const [first] = this.#toScore;
    if (first === undefined) return;
    const { local, batchSize } = this.#options;
    const { model, tokenizer } = local;
    const lengthOf = ({ prompt }: ScoredText) =>
      promptLength(prompt.tokens.length, model.config.contextLength);
    const length = lengthOf(first);
    const some = this.#toScore
      .filter((one) => lengthOf(one) === length)
      .slice(0, rowsPerPass(length, batchSize));
    this.#toScore = this.#toScore.filter((one) => !some.includes(one));
    const scored = await scorePrompts({
      model,
      prompts: some.map(({ prompt }) => prompt.tokens),
      batchSize,
      top: some.map(({ top }) => top),
    });
    for (const [index, { text, prompt, maxNewTokens }] of some.entries()) {
      const own = scored[index];
      if (own === undefined || text.isOver) continue;
      text.echo({ ...prompt, tokenizer, scored: own });
      // A single token needs no second pass over the prompt.
      if (maxNewTokens === 0) text.end();
      else if (maxNewTokens === 1) text.next(own.logits);
      else this.#batch.add(text);
    }
  }
}

const generationSettings = (
  { seed = 0, maxNewTokens: _, logitBias, stopTokens, ...settings }: AnswerSettings,
  { room, endTokens }: { readonly room: number; readonly endTokens: readonly number[] },
): GenerationSettings => ({
  ...settings,
  seed,
  maxNewTokens: room,
  logitBias: new Map(logitBias),
  stopTokens: [...endTokens, ...stopTokens],
  batchSize: 1,
});

/** What decides the draws beside the seed: samples differ, and without a seed every answer does. */
const drawsOf = ({ settings }: TextJob, sample: number): string =>
  settings.seed === undefined ? randomUUID() : `${sample}`;
