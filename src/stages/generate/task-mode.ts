import {
  isList,
  type Json,
  type JsonObject,
  jsonText,
  numberIn,
  RecordProblems,
  UserError,
} from '../../core/index.ts';
import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { Generated, Generation } from './generate.ts';
import type { Prompt } from './prompt.ts';

/** Answers each prompt as its task says: those with the same settings together, by `answer`. */
export async function generateByTask(
  generation: Generation,
  answer: (own: Generation) => Promise<Generated>,
): Promise<Generated> {
  const { prompts, config } = generation;
  const groups = new Map<string, { settings: JsonObject; config: GenerateConfig; positions: number[] }>();
  const problems = new RecordProblems('cannot be answered');
  for (const [position, { id, generation: settings }] of prompts.entries())
    problems.collect({ id }, () => {
      const key = jsonText(settings ?? null);
      const group = groups.get(key) ?? { ...taskSettings(settings, config), positions: [] };
      group.positions.push(position);
      groups.set(key, group);
    });
  problems.throwIfAny();
  const done: Generated[] = [];
  for (const { positions, ...group } of groups.values()) {
    const own = positions.flatMap((position) => prompts[position] ?? []);
    const { responses, measurements } = await answer({ ...generation, ...group, prompts: own });
    done.push({
      responses: responses.map((response) => ({ ...response, position: positions[response.position] ?? 0 })),
      measurements,
    });
  }
  return {
    responses: done.flatMap(({ responses }) => responses).sort((a, b) => a.position - b.position),
    measurements: combined(done.map(({ measurements }) => measurements)),
  };
}

/** How many tokens the longest answers may have. */
export const longestAnswer = (prompts: readonly Prompt[], config: GenerateConfig): number =>
  prompts.reduce(
    (most, { generation }) => Math.max(most, numberIn(generation?.max_new_tokens) ?? 0),
    config.max_new_tokens,
  );

const modes = ['text', 'score', 'choices', 'rolling'] as const;
const numbers = ['max_new_tokens', 'temperature', 'top_k', 'top_p', 'min_p', 'repetition_penalty'] as const;

/** A record's settings, with the stage's configuration as they change it. An answer stays as the model writes it. */
function taskSettings(
  settings: JsonObject | undefined,
  config: GenerateConfig,
): { readonly settings: JsonObject; readonly config: GenerateConfig } {
  const { stop = [], mode: wanted } = settings ?? {};
  const mode = modes.find((one) => one === wanted);
  if (settings === undefined || mode === undefined || !isList(stop))
    throw new UserError({
      code: 'no-task',
      message: 'it does not say how it is answered',
      help: '`mode: task` is for the records of tasks, which `as: lm_eval` of load reads and `template: lm_eval` of format writes',
    });
  const given = numbers.flatMap((name) => {
    const number = numberIn(settings[name]);
    return number === undefined ? [] : [[name, number] as const];
  });
  const texts = stop.filter((text: Json): text is string => typeof text === 'string' && text !== '');
  return {
    settings,
    config: { ...config, ...Object.fromEntries(given), stop: texts, mode, clean: false },
  };
}

/** Counts and durations together. */
function combined(measurements: readonly Generated['measurements'][]): Generated['measurements'] {
  const [first, ...others] = measurements;
  if (first === undefined || others.length === 0) return first ?? {};
  const total = new Map<string, Json>();
  for (const one of measurements)
    for (const [name, value] of Object.entries(one))
      total.set(name, typeof value === 'number' ? (numberIn(total.get(name)) ?? 0) + value : value);
  const [tokens, seconds] = [numberIn(total.get('tokens')), numberIn(total.get('seconds'))];
  if (tokens !== undefined && seconds) total.set('tokens_per_second', Math.round(tokens / seconds));
  return Object.fromEntries(total);
}
