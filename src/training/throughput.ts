/** How fast tokens go through the steps that are measured. */
export class Throughput {
  readonly #clock: () => number;
  #tokens = 0;
  #milliseconds = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  async measure<Result>(tokens: number, step: () => Promise<Result>): Promise<Result> {
    const begun = this.#clock();
    const result = await step();
    this.#milliseconds += this.#clock() - begun;
    this.#tokens += tokens;
    return result;
  }

  /** 0 where nothing was measured. */
  get tokensPerSecond(): number {
    return this.#milliseconds === 0 ? 0 : (1000 * this.#tokens) / this.#milliseconds;
  }
}
