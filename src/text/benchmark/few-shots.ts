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
  /** Whether a prompt with what may follow it is short enough. */
  readonly fits: (text: string) => boolean;
}

/** A question after as many of the shots, from the first on, as fit. */
export function withShots({ template, row, example, shots, fits }: Asked): ShotPrompt {
  const separator = template.separator?.(row) ?? '\n\n';
  const description = template.description?.(row) ?? '';
  const longest = [example.response, ...(example.choices ?? [])].reduce((a, b) =>
    b.length > a.length ? b : a,
  );
  for (let count = shots.length; ; count -= 1) {
    const before =
      description +
      shots
        .slice(0, count)
        .map(({ prompt, header, response }) => prompt + header + response + separator)
        .join('');
    const prompt = before + example.prompt;
    if (count > 0 && !fits(prompt + example.header + longest)) continue;
    const { header, response, choices } = example;
    return {
      segments: segmentsOf({ prompt, header, response }),
      choices,
      sharedCharacters: before.length,
      shots: count,
    };
  }
}
