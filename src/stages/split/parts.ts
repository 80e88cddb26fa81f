import type { SplitConfig } from '../../generated/split-config.ts';

export interface Part {
  readonly name: string;
  readonly share: number | 'rest';
}

/** The parts in order. Each item of the configuration maps one name to its share. */
export const partsOf = (config: Pick<SplitConfig, 'parts'>): readonly Part[] =>
  config.parts.flatMap((part) => Object.entries(part).map(([name, share]) => ({ name, share })));

/** What the parts with a number leave for the one that takes the rest. */
export const restShare = (parts: readonly Part[]): number =>
  1 - parts.reduce((sum, { share }) => sum + (share === 'rest' ? 0 : share), 0);
