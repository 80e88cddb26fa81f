import type { Json, JsonObject } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import { isObject } from '../parse-record.ts';

const evalTypes = ['classify', 'classify_cot', 'cot_classify'] as const;
export type EvalType = (typeof evalTypes)[number];

type Matches = (line: string, choice: string) => boolean;

const matchFunctions: ReadonlyMap<string, Matches> = new Map<string, Matches>([
  // As it is there: the line is part of the choice.
  ['include', (line, choice) => choice.includes(line)],
  ['exact', (line, choice) => line === choice],
  ['endswith', (line, choice) => line.endsWith(choice)],
  ['starts_or_endswith', (line, choice) => line.startsWith(choice) || line.endsWith(choice)],
]);

/** How a model grades an answer: a spec of OpenAI Evals' registry (modelgraded/*.yaml) with what the eval adds to it. */
export interface Grader {
  /** Text with {placeholders}, or a conversation. */
  readonly prompt: string | readonly Json[];
  readonly choices: readonly string[];
  /** Absent where choices are counted, not scored. */
  readonly scores: ReadonlyMap<string, number> | undefined;
  /** What the eval asks for beside its spec: below the prompt stands how to answer. */
  readonly asked: EvalType | undefined;
  readonly evalType: EvalType;
  readonly matches: Matches;
  /** Values of further placeholders. */
  readonly values: JsonObject;
  /** The placeholder that stands for the answer to grade. */
  readonly answerName: string;
}

/** The grader that a row carries in its field `grader`. */
export function graderOf({ grader }: JsonObject): Grader {
  if (!isObject(grader)) throw unfit('the row has no `grader`');
  const { prompt, input_outputs: outputs, match_fn: match = 'starts_or_endswith', values } = grader;
  if (typeof prompt !== 'string' && !Array.isArray(prompt)) throw unfit('the grader has no `prompt`');
  const matches = matchFunctions.get(String(match));
  if (matches === undefined) throw unfit(`the grader’s match_fn is ${JSON.stringify(match)}`);
  const asked = evalTypeOf(grader.answer_prompt);
  const evalType = evalTypeOf(grader.eval_type) ?? asked;
  if (evalType === undefined) throw unfit('neither the eval nor its grader has an `eval_type`');
  const choices = choicesOf(grader.choice_strings);
  const [answerName] = isObject(outputs) ? Object.values(outputs) : [];
  return {
    prompt,
    choices,
    scores: scoresOf(grader.choice_scores, choices),
    asked,
    evalType,
    matches,
    values: isObject(values) ? values : {},
    answerName: typeof answerName === 'string' ? answerName : 'completion',
  };
}

function evalTypeOf(value: Json | undefined): EvalType | undefined {
  if (value === undefined || value === null) return undefined;
  const type = evalTypes.find((known) => known === value);
  if (type !== undefined) return type;
  throw unfit(`the eval_type is ${JSON.stringify(value)}; it must be one of ${evalTypes.join(', ')}`);
}

/** A text stands for its characters, `from_n` for the number of the only answer. */
function choicesOf(value: Json | undefined): readonly string[] {
  const only: Readonly<Record<string, string>> = { from_n: '1', from_n_abc: 'a', from_n_ABC: 'A' };
  const choices = typeof value === 'string' ? (only[value] ?? [...value]) : value;
  if (typeof choices === 'string') return [choices];
  if (Array.isArray(choices) && choices.length > 0) return choices.map(String);
  throw unfit('the grader has no `choice_strings`');
}

function scoresOf(
  value: Json | undefined,
  choices: readonly string[],
): ReadonlyMap<string, number> | undefined {
  if (value === undefined || value === null) return undefined;
  const given = isObject(value) ? value : {};
  const scores = new Map(
    choices.map((choice) => [choice, Number(value === 'from_strings' ? choice : given[choice])]),
  );
  if ([...scores.values()].every((score) => Number.isFinite(score))) return scores;
  throw unfit('the grader’s `choice_scores` lack a number for each of its `choice_strings`');
}

const unfit = (message: string): UserError =>
  new UserError({
    code: 'bad-grader',
    message,
    help: 'read a model-graded eval with `as: openai_evals` in the load stage',
  });
