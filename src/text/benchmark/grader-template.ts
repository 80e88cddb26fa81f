import type { Json, JsonObject } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import { isObject } from '../parse-record.ts';
import { conversationText } from './conversation-text.ts';
import type { ExampleTemplate } from './example-template.ts';
import { type EvalType, type Grader, graderOf } from './grader.ts';

/** What OpenAI Evals writes below a grader's prompt for the eval_type of an eval (modelgraded/classify_utils.py). */
const answerPrompts: Readonly<Record<EvalType, string>> = {
  classify:
    'Answer the question by printing only a single choice from {choices} (without quotes or punctuation) corresponding to the correct answer with no other text.',
  classify_cot:
    'First, answer by printing a single choice from {choices} (without quotes or punctuation) corresponding to the correct answer. Then, from the next line, explain your reasonings step by step.',
  cot_classify:
    'First, write out in a step by step manner your reasoning to be sure that your conclusion is correct. Avoid simply stating the correct answer at the outset. Then print only a single choice from {choices} (without quotes or punctuation) on its own line corresponding to the correct answer. At the end, repeat just the answer by itself on a new line.\n\nReasoning:',
};

/** OpenAI Evals' question to a grader about a response to a model-graded sample. */
export const openaiEvalsGradeTemplate: ExampleTemplate = {
  write: (row) => {
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
  },
};

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

/** As Python's str.format fills {names}; what is filled in is not looked at again. */
const filled = (text: string, values: JsonObject): string =>
  text.replace(/\{\{|\}\}|\{(\w+)\}/g, (found, name: string | undefined) =>
    name === undefined ? found.slice(1) : valueText(values[name], name),
  );

function valueText(value: Json | undefined, name: string): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value))
    return value.every(isObject) && value.length > 0
      ? conversationText(value, { isOpen: false })
      : JSON.stringify(value);
  if (value !== undefined && value !== null) return JSON.stringify(value);
  throw new UserError({
    code: 'missing-field',
    message: `the grader’s prompt asks for {${name}}, which neither the sample nor \`modelgraded_spec_args\` has`,
  });
}
