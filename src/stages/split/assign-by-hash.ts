import { hashPosition } from './hash-position.ts';
import { type Part, restShare } from './parts.ts';

/**
 * The part of a record from its key alone: the hash of seed and key is a position in [0, 1), and each part is a
 * stretch of it as long as its share. So adding records never moves others, and equal keys stay together.
 */
export function assignByHash(key: string, { parts, seed }: { parts: readonly Part[]; seed: number }): string {
  const place = hashPosition(key, seed);
  const rest = restShare(parts);
  let end = 0;
  for (const { name, share } of parts) {
    end += share === 'rest' ? rest : share;
    if (place < end) return name;
  }
  return parts.at(-1)?.name ?? '';
}
