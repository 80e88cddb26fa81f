import type { Result } from '../../../src/core/result.ts';

/** The value of a result that must be ok. */
export function must<T>(result: Result<T, readonly { readonly message: string }[]>): T {
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('\n'));
  return result.value;
}
