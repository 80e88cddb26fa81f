import type { Example } from './example.ts';
import { type PackedBatch, type Packing, packBatch } from './pack-batch.ts';
import { type PaddedBatch, type Padding, padBatch } from './pad-batch.ts';

/** A batch as it is computed: in one piece, or in several, one after the other, whose gradients add up. */
export interface BatchPieces {
  /** Those that have a target; a piece without one adds nothing. */
  readonly pieces: readonly BatchPiece[];
  /** Input tokens without the padding, in all pieces. */
  readonly tokens: number;
  /** Targets that are learnt, in all pieces. */
  readonly targetCount: number;
}

export type BatchPiece = PaddedBatch | PackedBatch;

export interface Slicing extends Padding, Packing {
  /** Whether rows are computed one after the other without padding. */
  readonly paddingFree?: boolean;
  /** The most examples in one piece; all where absent. */
  readonly pieceSize: number | undefined;
}

export function batchPieces(examples: readonly Example[], slicing: Slicing): BatchPieces {
  const { pieceSize = examples.length, paddingFree = false } = slicing;
  const layOut = paddingFree ? packBatch : padBatch;
  const all = Array.from({ length: Math.ceil(examples.length / pieceSize) }, (_, piece) =>
    layOut(examples.slice(piece * pieceSize, (piece + 1) * pieceSize), slicing),
  );
  return {
    pieces: all.filter(({ targetCount }) => targetCount > 0),
    tokens: all.reduce((sum, { tokens }) => sum + tokens, 0),
    targetCount: all.reduce((sum, { targetCount }) => sum + targetCount, 0),
  };
}
