import type { JsonObject } from '../../../json.ts';
import { withinTime } from '../../../text/within-time.ts';
import { UserError } from '../../../user-error.ts';
import {
  fuzzyMatch,
  includes,
  includesAnyCase,
  jsonMatch,
  type Matcher,
  startsWith,
} from '../benchmarks/openai-evals/matchers.ts';
import { type Metric, plainly } from './metric.ts';

/** BIG-Bench-Hard's: the answer, or what stands after `the answer is` in it, without a full stop, equals the target. */
export const bbhMatch: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response, expected }) => plainly(expected.includes(finalAnswer(response.response ?? '')) ? 1 : 0),
};

function finalAnswer(text: string): string {
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

/** BIG-bench's exact_str_match: what is left of the answer before the task's `stop_string`, or what its `output_regex` finds there. */
export const bigBenchMatch: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response, expected }) => {
    const { fields } = response;
    const answer = processed(response.response ?? '', fields);
    const targets = textsIn(fields.targets) ?? expected;
    return plainly(targets.some((target) => target.trim() === answer) ? 1 : 0);
  },
};

function processed(text: string, { stop_string: stop, output_regex: pattern }: JsonObject): string {
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

const matchers: Readonly<Record<string, Matcher>> = {
  match: startsWith,
  includes,
  fuzzy: fuzzyMatch,
  json: jsonMatch,
};

/** OpenAI Evals' basic templates: the row's own decides how an answer is compared with its `ideal`. */
export const openaiEvalsMatch: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response, expected }) => {
    const { template, ideal, ignore_case: anyCase } = response.fields;
    const matcher =
      template === 'includes' && anyCase === true ? includesAnyCase : matchers[String(template)];
    if (matcher === undefined) return undefined;
    const ideals = typeof ideal === 'string' ? [ideal] : (textsIn(ideal) ?? expected);
    return plainly(ideals.some((one) => matcher(response.response ?? '', one)) ? 1 : 0);
  },
  leftOutReason: () => 'its row has no `template` that compares texts (match, includes, fuzzy, json)',
};

function textsIn(value: JsonObject[string] | undefined): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}
