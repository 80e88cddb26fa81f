import { commonPrefixLength } from '../../text/index.ts';
import type { LanguageModel } from '../language-model.ts';
import { isLengthBound, promptLength } from './lengths.ts';
import { type KeyValueSpan, prefill } from './prefill.ts';

/** The beginning of several prompts, with its keys and values. */
interface SharedPrefix {
  readonly prompt: Int32Array;
  readonly span: KeyValueSpan;
}

/** Prompts that are compared with one that is to be prefilled: some that wait, and some that came before. */
const [mostWaiting, mostEarlier] = [256, 32];

/** Rows of a pass have at least this many tokens of their own, so that their products are those of matrices. */
const fewestOwn = 8;

/**
 * Finds what prompts begin with in common, such as a template, a system prompt or examples, and reads it once. The
 * prefixes that it holds have no more tokens together than one text of the model's full context.
 */
export class SharedPrefixes {
  readonly #model: LanguageModel;
  #prefixes: readonly SharedPrefix[] = [];
  #earlier: readonly Int32Array[] = [];

  constructor(model: LanguageModel) {
    this.#model = model;
  }

  /** A prefix of this prompt that saves more than it costs, given the prompts that also wait; undefined if there is none. */
  async prefixOf(
    prompt: Int32Array,
    { waiting, length }: { readonly waiting: readonly Int32Array[]; readonly length: number },
  ): Promise<KeyValueSpan | undefined> {
    const { config } = this.#model;
    if (isLengthBound(config)) return undefined;
    const most = Math.min(prompt.length - 1, length - fewestOwn);
    const others = [...waiting.filter((other) => other !== prompt).slice(0, mostWaiting), ...this.#earlier];
    this.#earlier = [...this.#earlier, prompt].slice(-mostEarlier);
    const known = this.#longestKnown(prompt, most);
    const wanted = mostSaved(others.map((other) => Math.min(most, commonPrefixLength(prompt, other))));
    const gain = (wanted.tokens - (known?.span.tokens ?? 0)) * wanted.prompts;
    const found = gain > 2 * wanted.tokens ? await this.#read(prompt.slice(0, wanted.tokens)) : known;
    if (found === undefined) return undefined;
    this.#hold(found);
    return found.span;
  }

  #longestKnown(prompt: Int32Array, most: number): SharedPrefix | undefined {
    return this.#prefixes
      .filter(({ prompt: { length } }) => length <= most)
      .filter((known) => commonPrefixLength(known.prompt, prompt) === known.prompt.length)
      .sort((a, b) => b.prompt.length - a.prompt.length)[0];
  }

  async #read(prompt: Int32Array): Promise<SharedPrefix> {
    const length = promptLength(prompt.length, this.#model.config.contextLength);
    const [read] = await prefill({ model: this.#model, prompts: [prompt], batch: 1, length });
    const [span] = read?.spans ?? [];
    if (span === undefined) throw new Error('prefill returned no prompt');
    return { prompt, span: withoutPadding(span, { length, heads: this.#model.config.keyValueHeads }) };
  }

  /** Keeps a prefix as the one that was used last, and lets go of those that were not used for longest. */
  #hold(prefix: SharedPrefix): void {
    let room = this.#model.config.contextLength;
    this.#prefixes = [prefix, ...this.#prefixes.filter((one) => one !== prefix)].filter(({ prompt }) => {
      room -= prompt.length;
      return room >= 0;
    });
  }
}

/** Of the lengths that a prompt shares with others, the one that saves most, and how many prompts share it. */
function mostSaved(shared: readonly number[]): { readonly tokens: number; readonly prompts: number } {
  let best = { tokens: 0, prompts: 1 };
  for (const [index, tokens] of shared.toSorted((a, b) => b - a).entries())
    if (tokens * (index + 1) > best.tokens * (best.prompts - 1)) best = { tokens, prompts: index + 2 };
  return best;
}

/** [K, T, D] -> [K, tokens, D], in arrays of its own. */
function withoutPadding(
  { from, tokens, layers }: KeyValueSpan,
  { length, heads }: { readonly length: number; readonly heads: number },
): KeyValueSpan {
  const cut = (padded: Float32Array) => {
    const [before, after] = [padded.length / heads, (padded.length / heads / length) * tokens];
    const kept = new Float32Array(heads * after);
    for (let head = 0; head < heads; head++)
      kept.set(padded.subarray(head * before, head * before + after), head * after);
    return kept;
  };
  return {
    ...{ from, tokens },
    layers: layers.map(({ layer, keys, values }) => ({ layer, keys: cut(keys), values: cut(values) })),
  };
}
