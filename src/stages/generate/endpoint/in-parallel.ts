interface Parallel<Item> {
  readonly items: readonly Item[];
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Its signal aborts with the outer one, and when the work on another item fails. */
  readonly work: (item: Item, signal: AbortSignal) => Promise<void>;
}

/** Works on so many items at a time. The first failure, or the signal, ends all at once. */
export async function inParallel<Item>({ items, concurrency, signal, work }: Parallel<Item>): Promise<void> {
  signal.throwIfAborted();
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) {
      either.throwIfAborted();
      await work(item, either);
    }
  };
  const aborted = rejectionOf(signal, failed.signal);
  try {
    await Promise.race([aborted, Promise.all(Array.from({ length: concurrency }, worker))]);
  } finally {
    failed.abort();
  }
}

/** Rejects as soon as `signal` aborts, so that nobody waits for a client that sleeps between two tries. */
function rejectionOf(signal: AbortSignal, until: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: until });
  });
}
