import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { GenerationShape } from '../../model/index.ts';
import { type Prompt, textOf } from './prompt.ts';
import { longestAnswer } from './task-mode.ts';

/** Prompts are not encoded to estimate memory: a token has about four characters. */
const charactersPerToken = 4;

/** What decides how much memory answers to these prompts take. */
export function generationShape(prompts: readonly Prompt[], config: GenerateConfig): GenerationShape {
  const { mode, batch_size: rows, precision } = config;
  // With `mode: task` a task may want either; writing takes more.
  const writes = mode === 'text' || mode === 'task';
  const read = (prompt: Prompt) => prompt.text.length + (writes ? 0 : longestRest(prompt, mode));
  const characters = prompts.reduce((most, prompt) => Math.max(most, read(prompt)), 0);
  const slots = Math.ceil(characters / charactersPerToken) + (writes ? longestAnswer(prompts, config) : 1);
  return { kind: writes ? 'writes' : 'reads', rows, slots, precision };
}

const longestRest = ({ choices, between, rest }: Prompt, mode: GenerateConfig['mode']): number =>
  mode === 'choices'
    ? between.length + Math.max(0, ...choices.map(({ length }) => length))
    : textOf(rest).length;
