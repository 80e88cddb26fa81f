import type { Args, Value } from './values.ts';

/** A filter or test applied to its input. */
export type Filter = (value: Value, args: Args) => Value;
