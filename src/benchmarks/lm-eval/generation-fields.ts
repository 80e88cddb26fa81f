import { FieldChecker } from './field-checker.ts';
import type { OutputType } from './metric-list.ts';
import type { GenerationFields } from './task.ts';

/** In the order in which lm-evaluation-harness looks for them. */
const lengthNames = ['max_gen_toks', 'max_new_tokens', 'max_tokens', 'max_completion_tokens'] as const;
const defaultLength = 256;

interface GenerationContext {
  readonly outputType: OutputType;
  /** What ends an answer if the task does not say it. */
  readonly delimiter: string;
  readonly problems: string[];
}

/** How answers are written, by `generation_kwargs` with the defaults of lm-evaluation-harness. */
export function generationFields(
  task: FieldChecker,
  { outputType, delimiter, problems }: GenerationContext,
): GenerationFields {
  const given = task.map('generation_kwargs');
  const fallback = { stop: [delimiter], max_new_tokens: defaultLength, temperature: 0 };
  if (given === undefined) return fallback;
  const checker = new FieldChecker(given.fields, problems);
  const lengths = lengthNames.flatMap((name) => checker.number(name, { least: 1, isWhole: true }) ?? []);
  if (lengths.length > 1)
    problems.push(`${given.place}: ${lengthNames.join(', ')} mean the same: give one of them`);
  const stop = checker.texts('until') ?? fallback.stop;
  const samples = checker.flag('do_sample');
  const temperature = checker.number('temperature', { least: 0 }) ?? 0;
  const drawn = {
    top_k: checker.number('top_k', { least: 1, isWhole: true }),
    top_p: checker.number('top_p', { least: 0 }),
    min_p: checker.number('min_p', { least: 0 }),
  };
  const penalty = checker.number('repetition_penalty', { least: 0 });
  const beams = checker.number('num_beams', { least: 1, isWhole: true }) ?? 1;
  if (beams > 1)
    checker.problem(
      'num_beams',
      `\`num_beams: ${beams}\` is not supported: answers are written without beams`,
    );
  if (samples === true && temperature === 0)
    checker.problem('do_sample', '`do_sample: true` needs a `temperature` above 0');
  for (const name of checker.left())
    checker.problem(name, `\`${name}\` of \`generation_kwargs\` is not supported`);
  // Without sampling the temperature is 0 whatever the task says.
  const isDrawn = samples !== false && temperature > 0;
  const { top_k, top_p, min_p } = isDrawn ? drawn : {};
  return {
    stop: outputType === 'generate_until' ? stop.filter((text) => text !== '') : [],
    max_new_tokens: lengths[0] ?? defaultLength,
    temperature: isDrawn ? temperature : 0,
    ...(top_k === undefined ? {} : { top_k }),
    ...(top_p === undefined ? {} : { top_p }),
    ...(min_p === undefined ? {} : { min_p }),
    ...(penalty === undefined ? {} : { repetition_penalty: penalty }),
  };
}
