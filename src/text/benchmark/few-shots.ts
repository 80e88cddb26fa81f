import type { JsonObject } from '../../json.ts';
import type { Segment } from '../formatted-record.ts';
import { segmentsOf } from '../template/template.ts';
import type { Example, ExampleTemplate } from './example-template.ts';

export interface ShotPrompt {
  readonly segments: readonly Segment[];
  readonly choices: readonly string[] | undefined;
  /** How many characters stand before the question: what all of the same shots have in common. */
  readonly sharedCharacters: number;
  readonly shots: number;
}

interface Asked {
  readonly template: ExampleTemplate;
  readonly row: JsonObject;
  readonly example: Example;
  /** Examples of other rows, those that matter most first. */
  readonly shots: readonly Example[];
  /** Whether a text is short enough, which is given as the pieces that it is made of. */
  readonly fits: (pieces: readonly string[]) => boolean;
}

/** A question after as many of the shots, from the first on, as fit with the longest response or choice. */
export function withShots({ template, row, example, shots, fits }: Asked): ShotPrompt {
  const separator = template.separator?.(row) ?? '\n\n';
  const description = template.description?.(row) ?? '';
  const { prompt, header, response, choices } = example;
  const longest = [response, ...(choices ?? [])].reduce((a, b) => (b.length > a.length ? b : a));
  const solved = shots.map((shot) => shot.prompt + shot.header + shot.response + separator);
  let count = shots.length;
  while (count > 0 && !fits([description, ...solved.slice(0, count), prompt + header + longest])) count -= 1;
  const before = description + solved.slice(0, count).join('');
  return {
    segments: segmentsOf({ prompt: before + prompt, header, response }),
    choices,
    sharedCharacters: before.length,
    shots: count,
  };
}
