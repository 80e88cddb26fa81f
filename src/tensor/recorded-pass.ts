import * as tf from '@tensorflow/tfjs-core';

/**
 * A pass that is computed again and again with other numbers in the same arrays, such as a decode step. A backend that can
 * records it once and then runs what it recorded, without the tracing that costs a small step more than a tenth of its
 * time. Any other records it each time.
 *
 * The second time it is recorded again, and must read the same numbers as what was recorded first: so a number that the
 * pass computes on the host, and nothing brings up to date (`refresh`), is found, and the pass is then always recorded.
 * The caller changes the arrays before that second run, as it does between steps.
 */
export class RecordedPass implements Disposable {
  readonly #record: () => tf.Tensor[];
  #bound: BoundPass | undefined;
  #refreshers: readonly (() => void)[] = [];
  #state: 'new' | 'recorded' | 'checked' | 'varies' = 'new';

  /** `record` makes its tensors over arrays that it does not replace, and returns those that are read. */
  constructor(record: () => tf.Tensor[]) {
    this.#record = record;
  }

  [Symbol.dispose](): void {
    this.#bound?.dispose();
    this.#bound = undefined;
  }

  /** Computes it and returns the elements of its tensors, which the next run may overwrite. */
  async run(): Promise<readonly Float32Array[]> {
    const before = this.#bound;
    if (this.#state === 'checked' && before !== undefined && !before.isStale) {
      for (const refresh of this.#refreshers) refresh();
      return before.run();
    }
    const backend: object = tf.backend();
    if (this.#state === 'varies' || !binds(backend) || !backend.isNative) return this.#compute();
    for (const refresh of this.#refreshers) refresh();
    const bound = this.#bind(backend);
    if (this.#state === 'recorded' && before !== undefined && !before.isStale)
      this.#state = bound.readsLike(before) ? 'checked' : 'varies';
    else this.#state = 'recorded';
    before?.dispose();
    this.#bound = bound;
    return bound.run();
  }

  async #compute(): Promise<readonly Float32Array[]> {
    this[Symbol.dispose]();
    const tensors = tf.tidy(this.#record);
    const arrays = await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
    tf.dispose(tensors);
    return arrays;
  }

  #bind(backend: BindingBackend): BoundPass {
    const outer = refreshers;
    refreshers = [];
    try {
      const bound = backend.bind(this.#record);
      this.#refreshers = refreshers;
      return bound;
    } finally {
      refreshers = outer;
    }
  }
}

/** Those of the pass that is being recorded. */
let refreshers: (() => void)[] | undefined;

/**
 * Fills arrays that a pass makes on the host, such as the angles of its tokens' positions: now, and again whenever the
 * pass runs again.
 */
export function refresh(fill: () => void): void {
  fill();
  refreshers?.push(fill);
}

/** A pass over certain arrays, recorded and compiled. */
export interface BoundPass {
  /** Whether what it was compiled to is gone. */
  readonly isStale: boolean;
  /** Whether it computes the same as another one, from the same arrays or from equal numbers. */
  readsLike(other: BoundPass): boolean;
  run(): Promise<readonly Float32Array[]>;
  dispose(): void;
}

interface BindingBackend {
  readonly isNative: boolean;
  bind(record: () => tf.Tensor[]): BoundPass;
}

const binds = (backend: object): backend is BindingBackend => 'bind' in backend;
