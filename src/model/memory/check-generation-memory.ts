import type { ModelConfig } from '../model-config.ts';
import { generationMemory } from './generation-memory.ts';
import { totalMemory } from './memory-need.ts';
import { refuseMemory } from './refuse-memory.ts';

interface PlannedGeneration {
  readonly model: ModelConfig;
  /** Texts that are written at a time. */
  readonly rows: number;
  /** Tokens of the longest prompt and its answer. */
  readonly slots: number;
  /** Bytes that may be taken. */
  readonly limit: number;
}

/** What a generation is expected to take at its peak. Throws a UserError where that is too much, with what would fit. */
export function checkGenerationMemory({ model, rows, slots, limit }: PlannedGeneration): number {
  const room = Math.min(slots, model.contextLength);
  const need = generationMemory(model, { rows, slots: room });
  const expected = totalMemory(need);
  if (expected <= limit) return expected;
  const fits = (fewer: number) => totalMemory(generationMemory(model, { rows: fewer, slots: room })) <= limit;
  let fewer = rows - 1;
  while (fewer >= 1 && !fits(fewer)) fewer = Math.floor(fewer / 2);
  const help =
    fewer >= 1
      ? `\`batch_size: ${fewer}\` would fit`
      : 'no setting of this stage would fit: take a smaller model, or a machine with more memory';
  throw refuseMemory({ what: 'generating', need, limit, help });
}
