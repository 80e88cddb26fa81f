import {
  CachedDecoder,
  type GeneratedText,
  type GenerationSettings,
  quantizeWeights,
  streamText,
} from '../../model/index.ts';
import { type LocalModel, openLocalModel, withAdapter } from '../../stages/index.ts';
import { type ChatMessage, type ChatPrompt, openChatPrompt, startToken, stopsAt } from '../../text/index.ts';
import type { ChatAdapter } from './chat-adapters.ts';

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
  adapters = [],
  template,
  system,
  settings,
  onNote,
}: {
  readonly folder: string;
  /** Of this model; the first one answers, until another is chosen. */
  readonly adapters?: readonly ChatAdapter[];
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
  const adapted = new Map<string, LocalModel>();
  for (const { name, folder: adapter } of adapters)
    adapted.set(name, await withAdapter(local, { model: folder, adapter }));
  return new ChatSession({
    local,
    adapted,
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
  /** The same model with each of its adapters, by their names. */
  readonly adapted: ReadonlyMap<string, LocalModel>;
  readonly weights: Disposable;
  readonly prompt: ChatPrompt;
  readonly settings: GenerationSettings;
  readonly system: string | undefined;
}

/** A conversation with a model: every answer is a reply to all messages so far. */
export class ChatSession implements Disposable {
  readonly #options: ChatSessionOptions;
  #decoder: CachedDecoder;
  #system: string | undefined;
  #messages: readonly ChatMessage[] = [];

  constructor(options: ChatSessionOptions) {
    this.#options = options;
    const [first = options.local] = options.adapted.values();
    this.#decoder = new CachedDecoder(first.model);
    this.#system = options.system;
  }

  [Symbol.dispose](): void {
    this.#decoder[Symbol.dispose]();
    for (const { [Symbol.dispose]: dispose } of this.#options.adapted.values()) dispose();
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

  /** The names of the adapters that can answer. */
  get adapters(): readonly string[] {
    return [...this.#options.adapted.keys()];
  }

  /** Lets another adapter answer from now on, or with `none` the model itself. False if there is none of this name. */
  useAdapter(name: string): boolean {
    const { local, adapted } = this.#options;
    const chosen = name === 'none' ? local : adapted.get(name);
    if (chosen === undefined) return false;
    this.#decoder[Symbol.dispose]();
    this.#decoder = new CachedDecoder(chosen.model);
    return true;
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
