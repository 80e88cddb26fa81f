import type { Json } from '../../json.ts';
import { UserError } from '../../user-error.ts';

const maximumDepth = 64;

/**
 * Refuses values nested so deeply that writing or comparing them could exhaust the stack, and numbers such as 1e999,
 * which JSON can write and which become infinite when they are read.
 */
export function checkJson({ value, place }: { value: Json; place: string }): void {
  const fault = faultIn(value, maximumDepth);
  if (fault === undefined) return;
  throw new UserError(
    fault === 'deep'
      ? {
          code: 'nested-too-deeply',
          message: `${place}: the value is nested more than ${maximumDepth} levels deep`,
        }
      : {
          code: 'number-too-large',
          message: `${place}: a number is larger than a 64-bit float can be`,
          help: 'quote it if it is meant as text',
        },
  );
}

function faultIn(value: Json, levels: number): 'deep' | 'infinite' | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'infinite';
  if (value === null || typeof value !== 'object') return undefined;
  if (levels === 0) return 'deep';
  for (const child of Object.values(value)) {
    const fault = faultIn(child, levels - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
