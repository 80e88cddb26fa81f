import {
  CachedDecoder,
  type GeneratedText,
  type GenerationSettings,
  quantizeWeights,
  streamText,
} from '../../model/index.ts';
import { type LocalModel, openLocalModel } from '../../stages/index.ts';
import { type ChatMessage, type ChatPrompt, openChatPrompt, startToken, stopsAt } from '../../text/index.ts';

/** How answers are written: the fields of generate. */
export interface ChatSettings {
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly seed: number;
}

/** Opens a model folder for a conversation; its weights are kept small, as one answer is written at a time. */
export async function openChatSession({
  folder,
  template,
  system,
  settings,
  onNote,
}: {
  readonly folder: string;
  /** Instead of the model's own. */
  readonly template: string | undefined;
  readonly system: string | undefined;
  readonly settings: ChatSettings;
  readonly onNote: (message: string) => void;
}): Promise<ChatSession> {
  const prompt = await openChatPrompt({ folder, given: template });
  const local = await openLocalModel(folder, {
    resources: {},
    host: {
      signal: new AbortController().signal,
      report: (report) => {
        if (report.type === 'note') onNote(report.message);
      },
    },
  });
  const weights = quantizeWeights(local.model);
  const { stopTokens, stop } = stopsAt(prompt.endMark, local.tokenizer);
  const { maxNewTokens, temperature, topK, topP, minP, repetitionPenalty, seed } = settings;
  return new ChatSession({
    local,
    weights,
    prompt,
    settings: {
      ...{ maxNewTokens, temperature, topK, topP, minP, repetitionPenalty, seed, stop, batchSize: 1 },
      stopTokens: [...local.endTokens, ...stopTokens],
    },
    system,
  });
}

interface ChatSessionOptions {
  readonly local: LocalModel;
  readonly weights: Disposable;
  readonly prompt: ChatPrompt;
  readonly settings: GenerationSettings;
  readonly system: string | undefined;
}

/** A conversation with a model: every answer is a reply to all messages so far. */
export class ChatSession implements Disposable {
  readonly #options: ChatSessionOptions;
  readonly #decoder: CachedDecoder;
  #system: string | undefined;
  #messages: readonly ChatMessage[] = [];

  constructor(options: ChatSessionOptions) {
    this.#options = options;
    this.#decoder = new CachedDecoder(options.local.model);
    this.#system = options.system;
  }

  [Symbol.dispose](): void {
    this.#decoder[Symbol.dispose]();
    this.#options.weights[Symbol.dispose]();
    this.#options.local[Symbol.dispose]();
  }

  /** Forgets all messages but the system message. */
  reset(): void {
    this.#messages = [];
  }

  /** Starts over with another system message, or with none. */
  setSystem(system: string): void {
    this.#system = system === '' ? undefined : system;
    this.reset();
  }

  /** Answers a message. A stopped answer is kept as far as it got; a message that fails is forgotten. */
  async ask({
    text,
    signal,
    onText,
  }: {
    readonly text: string;
    readonly signal: AbortSignal;
    readonly onText: (text: string) => void;
  }): Promise<GeneratedText> {
    const { local, prompt, settings } = this.#options;
    const messages = [...this.#messages, { role: 'user', content: text }];
    const opening = this.#system === undefined ? [] : [{ role: 'system', content: this.#system }];
    const written = await streamText({
      decoder: this.#decoder,
      tokenizer: local.tokenizer,
      prompt: prompt.write([...opening, ...messages]),
      start: startToken(local.tokenizer, { bos: 'auto', isChat: prompt.isChat }),
      settings,
      signal,
      onText,
    });
    this.#messages = [...messages, { role: 'assistant', content: written.text.trim() }];
    return written;
  }
}
