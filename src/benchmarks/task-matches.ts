import { type JsonObject, UserError, withinTime } from '../core/index.ts';
import { fuzzyMatch, includes, jsonMatch, type Matcher, startsWith } from './openai-evals/matchers.ts';

export function finalAnswer(text: string): string {
  const mark = 'the answer is ';
  const at = text.lastIndexOf(mark);
  if (at === -1) return text.trim();
  const answer =
    text
      .slice(at + mark.length)
      .split('\n')[0]
      ?.trim() ?? '';
  return answer.endsWith('.') ? answer.slice(0, -1) : answer;
}

export function processed(text: string, { stop_string: stop, output_regex: pattern }: JsonObject): string {
  const ended = typeof stop === 'string' && stop !== '' ? (text.split(stop)[0] ?? '') : text;
  if (typeof pattern !== 'string') return ended.trim();
  const found = withinTime(patience, () => patternOf(pattern).exec(ended))?.value ?? null;
  return (found === null ? '' : (found[1] ?? found[0])).trim();
}

/** In milliseconds: a pattern comes with the data, and may take for ever. */
const patience = 1000;

function patternOf(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new UserError({
      code: 'bad-pattern',
      message: `the task's output_regex ${JSON.stringify(source)} is no regular expression`,
      cause,
    });
  }
}

export const matchers: Readonly<Record<string, Matcher>> = {
  match: startsWith,
  includes,
  fuzzy: fuzzyMatch,
  json: jsonMatch,
};

export function textsIn(value: JsonObject[string] | undefined): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}
