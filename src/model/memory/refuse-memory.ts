import { UserError } from '../../user-error.ts';
import { type MemoryNeed, totalMemory } from './memory-need.ts';

interface Refusal {
  /** `training`, `generating`. */
  readonly what: string;
  readonly need: MemoryNeed;
  /** Bytes that there are. */
  readonly limit: number;
  readonly help: string;
}

/** The error of a stage that would run out of memory, before it takes any. */
export function refuseMemory({ what, need, limit, help }: Refusal): UserError {
  const parts = Object.entries(need)
    .filter(([, bytes]) => bytes >= 0.05e9)
    .map(([name, bytes]) => `${name} ${gigabytes(bytes)}`);
  return new UserError({
    code: 'too-little-memory',
    message: `${what} would take about ${gigabytes(totalMemory(need))} GB of memory (${parts.join(', ')}), and ${gigabytes(limit)} GB are available`,
    help: `${help}. What may be taken is \`resources: { memory: 16GB }\`, where it is given`,
  });
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
