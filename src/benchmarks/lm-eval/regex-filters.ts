import { isList, type Json, type JsonObject, UserError, withinTime } from '../../core/index.ts';
import { escapePattern, PythonRegex, stripSpace } from '../../text/index.ts';

/** In milliseconds, for one answer: the pattern comes with a task. */
const timeLimit = 5000;
const defaultPattern = '#### (\\-?[0-9\\.\\,]+)';

interface RegexOptions {
  readonly regex: PythonRegex;
  /** Which of the matches counts, from the end if it is negative. */
  readonly select: number;
  readonly fallback: string;
}

/** The options of `regex`. Throws an error for bad ones. */
function regexOptions({
  regex_pattern: pattern = defaultPattern,
  group_select: select = 0,
  fallback = '[invalid]',
}: JsonObject): RegexOptions {
  if (typeof pattern !== 'string') throw new Error('`regex_pattern` must be a text');
  if (typeof select !== 'number' || !Number.isInteger(select))
    throw new Error('`group_select` must be a whole number');
  if (typeof fallback !== 'string') throw new Error('`fallback` must be a text');
  return { regex: new PythonRegex(pattern), select, fallback };
}

type AnswerFilter = (answers: readonly Json[], doc: JsonObject) => readonly Json[];

/** lm-evaluation-harness's `regex`: the wanted match, or its first group that is not empty. */
export function regexFilter(options: JsonObject): AnswerFilter {
  const { regex, select, fallback } = regexOptions(options);
  return (answers) =>
    answers.map((answer) => {
      const text = typeof answer === 'string' ? answer : '';
      const found = chosenMatch(regex, { text, select, otherwise: fallback });
      return found === undefined ? fallback : stripSpace(found);
    });
}

interface Search {
  readonly text: string;
  readonly select: number;
  /** What a match counts as whose groups are all empty. */
  readonly otherwise: string;
}

/** Undefined if nothing matches. */
function chosenMatch(regex: PythonRegex, { text, select, otherwise }: Search): string | undefined {
  const matches = timely(() => regex.findAll(text));
  if (matches.length === 0) return undefined;
  const match = matches.at(select);
  if (match === undefined || select < -matches.length)
    throw new UserError({
      code: 'no-such-match',
      message: `\`group_select: ${select}\` names a match that is not there: ${matches.length} were found`,
    });
  return typeof match === 'string' ? match : (match.find((group) => group !== '') ?? otherwise);
}

/** What a task's regular expression gives, which must not keep the process busy. */
export function timely<Value>(work: () => Value): Value {
  const done = withinTime(timeLimit, work);
  if (done !== undefined) return done.value;
  throw new UserError({
    code: 'regex-too-long',
    message: `a regular expression of the task takes more than ${timeLimit / 1000} s`,
  });
}

/**
 * lm-evaluation-harness's `multi_choice_regex`: the pattern's match; else the text of a choice, as its letter `(A)`;
 * else a letter after a colon.
 */
export function multipleChoiceRegex(options: JsonObject): AnswerFilter {
  const { regex, select, fallback } = regexOptions(options);
  const simplified = simplifier(options);
  const matchIn = (text: string, pattern: PythonRegex): string =>
    stripSpace(chosenMatch(pattern, { text, select, otherwise: '' }) ?? '');
  return (answers, doc) => {
    const choices = choicesOf(doc).map((choice) => simplified(stripSpace(choice)));
    const letters = choices.map((_, index) => String.fromCharCode('A'.charCodeAt(0) + index));
    const letterOf = new Map(choices.map((choice, index) => [choice, `(${letters[index]})`]));
    // The longest first: a choice may begin with the text of another.
    const longestFirst = choices.map(escapePattern).sort((a, b) => [...b].length - [...a].length);
    const byText = new PythonRegex(longestFirst.join('|'));
    const byLetter = new PythonRegex(`:[\\s]*(${letters.map(escapePattern).join('|')})`);
    return answers.map((answer) => {
      const text = typeof answer === 'string' ? answer : '';
      const matched = matchIn(text, regex);
      if (matched !== '') return matched;
      const chosen = matchIn(simplified(text), byText);
      if (chosen !== '') return letterOf.get(chosen) ?? chosen;
      const letter = matchIn(text, byLetter);
      return letter === '' ? fallback : `(${letter})`;
    });
  };
}

function choicesOf({ choices }: JsonObject): readonly string[] {
  if (isList(choices) && choices.length > 0 && choices.every((choice) => typeof choice === 'string'))
    return choices;
  throw new UserError({
    code: 'no-choices',
    message: '`multi_choice_regex` needs rows with a list of texts `choices`',
  });
}

/** What the options let a comparison ignore. Throws an error for bad ones. */
function simplifier(options: JsonObject): (text: string) => string {
  const { ignore_case: ignoreCase = false, ignore_punctuation: ignorePunctuation = false } = options;
  const { regexes_to_ignore: patterns = [] } = options;
  if (!isList(patterns ?? []) || typeof ignoreCase !== 'boolean' || typeof ignorePunctuation !== 'boolean')
    throw new Error(
      '`ignore_case` and `ignore_punctuation` are true or false, `regexes_to_ignore` is a list',
    );
  const ignored = (isList(patterns) ? patterns : []).map((pattern) => new PythonRegex(String(pattern)));
  return (text) => {
    const kept = ignored.reduce((left, regex) => timely(() => regex.replace(left, '')), text);
    const cased = ignoreCase ? kept.toLowerCase() : kept;
    return ignorePunctuation ? cased.replace(/\p{P}/gu, '') : cased;
  };
}
