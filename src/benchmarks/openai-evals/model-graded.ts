import { isList, isObject, type Json, type JsonObject, jsonText, UserError } from '../../core/index.ts';
import { asciiPunctuation, type Metric, meanOf, type Score } from '../../metrics/index.ts';
import type { Example } from '../benchmark.ts';
import { conversationText } from './conversation-text.ts';

/** What OpenAI Evals calls an answer without a choice. */
const INVALID = '__invalid__';

/** OpenAI Evals' ModelBasedClassify. An answer without a choice is counted, and has the lowest score. */
export const modelGraded: Metric = {
  better: 'varies',
  reads: 'text',
  measures:
    "Of a grader's answers: the mean score of its choices, if choices have scores, and how often it took each; an answer without a choice has the lowest score.",
  source: "OpenAI Evals' ModelBasedClassify",
  scoreAll: (responses) => {
    const graded = responses.map(({ response: { id, fields, response = '' } }) => {
      const grader = graderOf(fields);
      const choice = choiceIn(response, grader);
      return { id, choice, score: scoreOf(choice, grader) };
    });
    const counts = new Map<string, number>();
    for (const { choice } of graded) counts.set(choice, (counts.get(choice) ?? 0) + 1);
    const scores = graded.flatMap(({ score }) => score ?? []);
    const metrics: readonly Score[] = [
      ...(scores.length === 0 ? [] : [meanOf('model_graded', scores)]),
      ...[...counts].map(
        ([choice, count]): Score => ({
          metric: 'choices',
          of: choice,
          value: count,
          higher_is_better: choice !== INVALID,
          count: graded.length,
        }),
      ),
    ];
    return { metrics, values: new Map(graded.map(({ id, choice }) => [id, choice])) };
  },
};

/** The first choice that a line matches; lines are read from the last one up if the reasoning comes first. */
function choiceIn(
  answer: string,
  { choices, evalType, matches }: Pick<Grader, 'choices' | 'evalType' | 'matches'>,
): string {
  const lines = answer.trim().split('\n');
  for (const line of evalType === 'cot_classify' ? lines.toReversed() : lines) {
    const plain = line.trim().replace(asciiPunctuation, '');
    const choice = plain === '' ? undefined : choices.find((one) => matches(plain, one));
    if (choice !== undefined) return choice;
  }
  return INVALID;
}

function scoreOf(choice: string, { scores }: Grader): number | undefined {
  if (scores === undefined) return undefined;
  return scores.get(choice) ?? Math.min(...scores.values());
}

/** The text that OpenAI Evals adds below a grader's prompt, by the eval's eval_type (modelgraded/classify_utils.py). */
const answerPrompts: Readonly<Record<EvalType, string>> = {
  classify:
    'Answer the question by printing only a single choice from {choices} (without quotes or punctuation) corresponding to the correct answer with no other text.',
  classify_cot:
    'First, answer by printing a single choice from {choices} (without quotes or punctuation) corresponding to the correct answer. Then, from the next line, explain your reasonings step by step.',
  cot_classify:
    'First, write out in a step by step manner your reasoning to be sure that your conclusion is correct. Avoid simply stating the correct answer at the outset. Then print only a single choice from {choices} (without quotes or punctuation) on its own line corresponding to the correct answer. At the end, repeat just the answer by itself on a new line.\n\nReasoning:',
};

/** The question to a grader about a response to a model-graded sample. */
export function writeGraderPrompt(row: JsonObject): Example {
  const grader = graderOf(row);
  const { response } = row;
  if (typeof response !== 'string')
    throw new UserError({
      code: 'no-answer',
      message: 'there is no answer to grade',
      help: 'give this template what generate wrote with `mode: text`',
    });
  return {
    prompt: promptOf(grader, { ...row, ...grader.values, [grader.answerName]: response }),
    header: '',
    response: '',
  };
}

function promptOf({ prompt, asked, choices }: Grader, values: JsonObject): string {
  const listed = choices.map((choice) => `"${choice}"`).join(' or ');
  const below = asked === undefined ? '' : `\n\n${answerPrompts[asked].replace('{choices}', () => listed)}`;
  if (typeof prompt === 'string') return filled(prompt, values) + below;
  const turns = prompt.map((turn) =>
    isObject(turn) && typeof turn.content === 'string'
      ? { ...turn, content: filled(turn.content, values) }
      : turn,
  );
  return conversationText(withLast(turns, below), { isOpen: true });
}

function withLast(turns: readonly Json[], below: string): readonly Json[] {
  const last = turns.at(-1);
  if (!isObject(last) || typeof last.content !== 'string') return turns;
  return [...turns.slice(0, -1), { ...last, content: last.content + below }];
}

/** Fills {names} like Python's str.format; braces in the values have no meaning. */
const filled = (text: string, values: JsonObject): string =>
  text.replace(/\{\{|\}\}|\{(\w+)\}/g, (found, name: string | undefined) =>
    name === undefined ? found.slice(1) : valueText(values[name], name),
  );

function valueText(value: Json | undefined, name: string): string {
  if (typeof value === 'string') return value;
  if (isList(value))
    return value.every((turn) => isObject(turn)) && value.length > 0
      ? conversationText(value, { isOpen: false })
      : jsonText(value);
  if (value !== undefined && value !== null) return jsonText(value);
  throw new UserError({
    code: 'missing-field',
    message: `the grader’s prompt asks for {${name}}, which neither the sample nor \`modelgraded_spec_args\` has`,
  });
}

const evalTypes = ['classify', 'classify_cot', 'cot_classify'] as const;
type EvalType = (typeof evalTypes)[number];

type Matches = (line: string, choice: string) => boolean;

const matchFunctions: ReadonlyMap<string, Matches> = new Map<string, Matches>([
  // As in the original: the line is part of the choice.
  ['include', (line, choice) => choice.includes(line)],
  ['exact', (line, choice) => line === choice],
  ['endswith', (line, choice) => line.endsWith(choice)],
  ['starts_or_endswith', (line, choice) => line.startsWith(choice) || line.endsWith(choice)],
]);

/** How a model grades an answer: a spec of the registry (modelgraded/*.yaml) with the eval's additions. */
interface Grader {
  /** Text with {placeholders}, or a conversation. */
  readonly prompt: string | readonly Json[];
  readonly choices: readonly string[];
  /** Absent if choices are only counted. */
  readonly scores: ReadonlyMap<string, number> | undefined;
  /** The eval_type that the eval itself sets: the prompt then ends with how to answer. */
  readonly asked: EvalType | undefined;
  readonly evalType: EvalType;
  readonly matches: Matches;
  /** Values of further placeholders. */
  readonly values: JsonObject;
  /** The placeholder of the answer to grade. */
  readonly answerName: string;
}

/** The grader that a row carries in its field `grader`. */
function graderOf({ grader }: JsonObject): Grader {
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

/** A text means its characters, `from_n` the number of the only answer. */
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
