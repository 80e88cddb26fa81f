import { counted } from '../terminal/format-number.ts';

const NAMED = 8;

/** `3 stages reused: load, format, split` */
export const reusedText = (stages: readonly string[]): string =>
  `${counted(stages.length, 'stage')} reused: ${fewNames(stages)}`;

/** Names in a row; of many only the first and how many more there are. */
export function fewNames(stages: readonly string[]): string {
  const rest = stages.length - NAMED;
  return rest > 1 ? `${stages.slice(0, NAMED).join(', ')} and ${rest} more` : stages.join(', ');
}
