import { randomUUID } from 'node:crypto';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { UserError } from '../../core/index.ts';
import { ContinuousBatch, type GenerationSettings, longestText, Sequence } from '../../model/index.ts';
import type { LocalModel } from '../../stages/index.ts';
import type { PromptReader, ReadPrompt } from './prompt-reader.ts';
import type { AnswerPiece, AnswerSettings, ModelAnswer, TextJob } from './protocol.ts';
import { ScoringQueue, type Writer } from './scoring-queue.ts';
import { ServedText } from './served-text.ts';
import { tokenNames } from './token-names.ts';

interface EngineOptions {
  readonly local: LocalModel;
  /** The same model with each of its adapters, by their names. */
  readonly adapted: ReadonlyMap<string, LocalModel>;
  readonly reader: PromptReader;
  readonly batchSize: number;
  /** The most tokens of a text, prompt included. */
  readonly contextLength: number;
  readonly send: (answer: ModelAnswer) => void;
}

/**
 * Writes the answers to requests that come at any time, as many at once as a batch has rows. An answer depends on its
 * own request alone.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #writers: ReadonlyMap<string | undefined, Writer>;
  readonly #nameOf: ReturnType<typeof tokenNames>;
  readonly #texts = new Map<number, readonly ServedText[]>();
  readonly #scoring: ScoringQueue;
  #wake: () => void = () => {};
  #load = '';

  constructor(options: EngineOptions) {
    const { local, adapted, batchSize, contextLength } = options;
    this.#options = options;
    const writer = ({ model }: LocalModel): Writer => ({
      model,
      batch: new ContinuousBatch({ model, batchSize, longest: contextLength }),
    });
    this.#writers = new Map([
      [undefined, writer(local)],
      ...[...adapted].map(([name, model]) => [name, writer(model)] as const),
    ]);
    this.#scoring = new ScoringQueue({ tokenizer: local.tokenizer, batchSize });
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
      // A request must not end the answers to others, whatever is wrong with it.
      if (!(error instanceof UserError)) {
        send({ type: 'failed', id, message: error instanceof Error ? error.message : String(error) });
        return;
      }
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
      for (const { batch } of this.#writers.values()) batch.remove(text);
    }
    this.#scoring.removeOver();
    this.#texts.delete(id);
  }

  /** Writes two tokens, so that no client waits while the weights are laid out. */
  async warmUp(): Promise<void> {
    for (const { batch } of this.#writers.values()) {
      let left = 2;
      batch.add({ prompt: Int32Array.of(0), next: () => (--left > 0 ? 0 : undefined) });
      while (batch.active + batch.waiting > 0) await batch.step();
    }
  }

  /** Writes for as long as the process lives. */
  async run(): Promise<never> {
    for (;;) {
      this.#tellLoad();
      if (this.#running + this.#waiting === 0)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      await yieldToEventLoop();
      await this.#scoring.step();
      for (const { batch } of this.#writers.values())
        if (batch.active + batch.waiting > 0) await batch.step();
    }
  }

  get #running(): number {
    return [...this.#writers.values()].reduce((sum, { batch }) => sum + batch.active, 0);
  }

  get #waiting(): number {
    return [...this.#writers.values()].reduce((sum, { batch }) => sum + batch.waiting, this.#scoring.length);
  }

  #tellLoad(): void {
    const [running, waiting] = [this.#running, this.#waiting];
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
    const writer = this.#writers.get(job.adapter);
    if (writer === undefined) throw new Error(`there is no adapter ${job.adapter}`);
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
      this.#scoring.add({ text, prompt, top: job.logprobs, maxNewTokens: room, writer });
      return text;
    }
    if (job.echo) text.echo({ ...prompt, tokenizer: local.tokenizer, scored: undefined });
    if (room > 0) writer.batch.add(text);
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
