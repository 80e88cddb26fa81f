/** What a training or a generation is expected to take, in bytes. */
export interface MemoryNeed {
  readonly weights: number;
  readonly gradients: number;
  /** AdamW's running means. */
  readonly moments: number;
  /** What one pass computes on its way. */
  readonly activations: number;
  readonly cache: number;
  /** Node.js, the engine, and what the engine copies. */
  readonly overhead: number;
}

export const totalMemory = (need: MemoryNeed): number =>
  Object.values(need).reduce((sum: number, bytes: number) => sum + bytes, 0);
