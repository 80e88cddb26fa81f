import { isList, isObject, type Json, type JsonObject, jsonText, UserError } from '../../core/index.ts';
import { stripSpace } from '../../text/index.ts';
import { FieldChecker } from './field-checker.ts';
import { multipleChoiceRegex, regexFilter } from './regex-filters.ts';
import type { YamlValue } from './yaml-value.ts';

/** Filters in their order, whose last result is scored under the pipeline's name. */
export interface FilterPipeline {
  readonly name: string;
  /** Each with its `function` and options. */
  readonly filters: readonly JsonObject[];
}

/** The answers to a question: texts, or what a filter made of them. */
export type Answers = readonly Json[];

/** A filter of lm-evaluation-harness. */
interface Filter {
  readonly options: readonly string[];
  /** Made once for all questions. Throws an error for bad options. */
  readonly make: (options: JsonObject) => (answers: Answers, doc: JsonObject) => Answers;
}

const perAnswer =
  (change: (answer: string) => Json) =>
  (answers: Answers): Answers =>
    answers.map((answer) => change(textAnswer(answer)));

function textAnswer(answer: Json): string {
  if (typeof answer === 'string') return answer;
  throw new UserError({ code: 'bad-answer', message: `a filter needs a text, not ${jsonText(answer)}` });
}

const filters: Readonly<Record<string, Filter>> = {
  lowercase: { options: [], make: () => perAnswer((answer) => answer.toLowerCase()) },
  majority_vote: { options: [], make: () => (answers) => [mostFrequent(answers)] },
  map: {
    options: ['mapping_dict', 'default_value'],
    make: ({ mapping_dict: mapping = {}, default_value: otherwise = null }) => {
      if (!isObject(mapping)) throw new Error('`mapping_dict` must be a map');
      return (answers) =>
        answers.map((answer) => {
          const mapped =
            typeof answer === 'string' && Object.hasOwn(mapping, answer) ? mapping[answer] : undefined;
          return mapped ?? otherwise;
        });
    },
  },
  multi_choice_regex: {
    options: [
      ...['regex_pattern', 'group_select', 'fallback', 'ignore_case', 'ignore_punctuation'],
      'regexes_to_ignore',
    ],
    make: multipleChoiceRegex,
  },
  regex: {
    options: ['regex_pattern', 'group_select', 'fallback'],
    make: regexFilter,
  },
  remove_whitespace: { options: [], make: () => perAnswer(stripSpace) },
  take_first: { options: [], make: () => (answers) => answers.slice(0, 1) },
  take_first_k: {
    options: ['k'],
    make: ({ k }) => {
      if (typeof k !== 'number' || !Number.isInteger(k) || k < 1)
        throw new Error('`k` must be a whole number');
      return (answers) => {
        if (answers.length >= k) return answers.slice(0, k);
        throw new UserError({
          code: 'too-few-answers',
          message: `\`take_first_k\` needs ${k} answers to a question, but there are ${answers.length}`,
          help: 'raise `repeats` in the task',
        });
      };
    },
  },
  uppercase: { options: [], make: () => perAnswer((answer) => answer.toUpperCase()) },
};

/** The most frequent answer, the first among equals. */
function mostFrequent(answers: Answers): Json {
  const counts = new Map<string, { readonly answer: Json; count: number }>();
  for (const answer of answers) {
    const key = jsonText(answer);
    const known = counts.get(key) ?? { answer, count: 0 };
    known.count += 1;
    counts.set(key, known);
  }
  const [first, ...others] = counts.values();
  return others.reduce((best, one) => (one.count > (best?.count ?? 0) ? one : best), first)?.answer ?? null;
}

/** The task's `filter_list`; without one, the first answer counts. */
export function filterPipelines(
  list: readonly YamlValue[] | undefined,
  problems: string[],
): readonly FilterPipeline[] {
  if (list === undefined) return [{ name: 'none', filters: [{ function: 'take_first' }] }];
  return list.map(({ fields, place }) => {
    const checker = new FieldChecker(fields, problems);
    const own = (checker.list('filter') ?? []).map((filter) => checkedFilter(filter, problems));
    const name = checker.text('name');
    if (name === undefined) problems.push(`${place}: an item of \`filter_list\` needs a \`name\``);
    for (const field of checker.left()) checker.problem(field, `\`filter_list\` has no field \`${field}\``);
    const last = own.at(-1)?.function;
    if (last !== undefined && last !== 'take_first')
      problems.push(`${place}: the filters must end with \`take_first\`, which leaves one answer to score`);
    return { name: name ?? '', filters: own };
  });
}

function checkedFilter({ json, fields, place }: YamlValue, problems: string[]): JsonObject {
  const options = isObject(json) ? json : {};
  const checker = new FieldChecker(fields, problems);
  const name = checker.oneOf('function', Object.keys(filters));
  const filter = name === undefined ? undefined : filters[name];
  for (const option of filter?.options ?? []) {
    const value = checker.value(option);
    if (option === 'mapping_dict' && value?.hasTextKeys === false)
      checker.problem(
        option,
        '`mapping_dict` has a key that is no text, which no answer equals: put it in quotation marks',
      );
  }
  for (const field of name === undefined ? [] : checker.left())
    checker.problem(field, `the filter \`${name}\` has no option \`${field}\``);
  try {
    filter?.make(options);
  } catch (error) {
    problems.push(
      `${place}: the filter \`${name}\`: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return options;
}

/** What a pipeline's filters leave of the answers to a question. */
export function pipelineOf({ filters: own }: FilterPipeline): (answers: Answers, doc: JsonObject) => Json {
  const steps = own.map((options) => filterOf(options));
  return (answers, doc) => steps.reduce<Answers>((left, step) => step(left, doc), answers)[0] ?? null;
}

function filterOf(options: JsonObject): ReturnType<Filter['make']> {
  const { function: name } = options;
  const filter = typeof name === 'string' && Object.hasOwn(filters, name) ? filters[name] : undefined;
  if (filter !== undefined) return filter.make(options);
  throw new UserError({ code: 'unknown-filter', message: `there is no filter ${jsonText(name ?? null)}` });
}

/** Whether `json` is what `filterPipelines` makes. */
export const arePipelines = (json: Json | undefined): boolean =>
  isList(json) &&
  json.every(
    (item) =>
      isObject(item) && typeof item.name === 'string' && isList(item.filters) && item.filters.every(isObject),
  );
