import { InvalidArgumentError } from 'commander';

/** The scores that a person may give. */
export interface Scale {
  readonly lowest: number;
  readonly highest: number;
}

/** Reads `1-5`. */
export function parseScale(text: string): Scale {
  const [, low, high] = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  const scale = { lowest: Number(low), highest: Number(high) };
  if (scale.lowest < scale.highest) return scale;
  throw new InvalidArgumentError('It takes two numbers, the lower first, such as 1-5.');
}
