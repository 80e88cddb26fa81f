import type { Json } from '../../json.ts';
import { UserError } from '../../user-error.ts';

const maximumDepth = 64;

/** Refuses values nested so deeply that writing or comparing them could exhaust the stack. */
export function checkNesting({ value, place }: { value: Json; place: string }): void {
  if (depthWithin(value, maximumDepth)) return;
  throw new UserError({
    code: 'nested-too-deeply',
    message: `${place}: the value is nested more than ${maximumDepth} levels deep`,
  });
}

function depthWithin(value: Json, levels: number): boolean {
  if (value === null || typeof value !== 'object') return true;
  return levels > 0 && Object.values(value).every((child) => depthWithin(child, levels - 1));
}
