import type { Json } from '../../json.ts';
import type { StageHost } from '../../runtime/stage/stage-definition.ts';

/** Counts answers and their tokens, and reports each. */
export class Tally {
  readonly #host: StageHost;
  readonly #total: number;
  readonly #begun = performance.now();
  readonly #known: number;
  #answers = 0;
  #tokens = 0;

  /** `known` of the `total` answers are there from before. */
  constructor(host: StageHost, { total, known = 0 }: { total: number; known?: number }) {
    this.#host = host;
    this.#total = total;
    this.#known = known;
  }

  add(tokens: number): void {
    this.#answers += 1;
    this.#tokens += tokens;
    this.#host.report({
      type: 'progress',
      unit: 'answer',
      done: this.#known + this.#answers,
      total: this.#total,
      figures: this.#tokens === 0 ? {} : { tokens_per_second: this.#tokensPerSecond() },
    });
  }

  measurements(): Readonly<Record<string, Json>> {
    return {
      answers: this.#answers,
      ...(this.#known === 0 ? {} : { answers_from_before: this.#known }),
      seconds: Math.round(performance.now() - this.#begun) / 1000,
      ...(this.#tokens === 0 ? {} : { tokens: this.#tokens, tokens_per_second: this.#tokensPerSecond() }),
    };
  }

  #tokensPerSecond(): number {
    return Math.round((1000 * this.#tokens) / (performance.now() - this.#begun));
  }
}
