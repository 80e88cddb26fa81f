import { counted } from '../terminal/format-number.ts';

const NAMED = 8;

/** `3 stages reused: load, format, split`; of many stages only the first are named. */
export function reusedText(stages: readonly string[]): string {
  const rest = stages.length - NAMED;
  const names = rest > 1 ? `${stages.slice(0, NAMED).join(', ')} and ${rest} more` : stages.join(', ');
  return `${counted(stages.length, 'stage')} reused: ${names}`;
}
