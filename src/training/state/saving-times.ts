const shortestInterval = 30_000;
/** Saving takes at most one part in so many of the time. */
const intervalToCost = 20;

/** Says when a training's state is worth saving again, by how long it took the last time. */
export class SavingTimes {
  readonly #clock: () => number;
  #savedAt: number;
  #cost = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
    this.#savedAt = clock();
  }

  get isDue(): boolean {
    return this.#clock() - this.#savedAt >= Math.max(shortestInterval, intervalToCost * this.#cost);
  }

  async measure(save: () => Promise<void>): Promise<void> {
    const begun = this.#clock();
    await save();
    this.#savedAt = this.#clock();
    this.#cost = this.#savedAt - begun;
  }
}
