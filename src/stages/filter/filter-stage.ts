import type { FilterConfig } from '../../generated/filter-config.ts';
import type { ConfigProblem, InputPort } from '../../runtime/index.ts';
import { dataStage, declareStage, problemsIn } from '../declare-stage.ts';
import { linearPattern } from './linear-pattern.ts';

type Rule = FilterConfig['rules'][number];

const records: InputPort = { accepts: ['records'], required: true, parts: 'each' };
const tokenizer: InputPort = {
  accepts: ['tokenizer'],
  required: true,
  parts: 'one',
  help: 'or name an encoding, such as `encoding: r50k_base`',
};
const against: InputPort = { accepts: ['records'], required: true, parts: 'one' };

/** Keeps the records that satisfy every rule. */
export const filterStage = declareStage<FilterConfig>({
  name: 'filter',
  version: 1,
  ports: ({ rules, encoding }) => ({
    inputs: {
      records,
      ...(rules.some((rule) => rule.uncontaminated !== undefined) && { against }),
      ...(encoding === undefined && rules.some((rule) => rule.tokens !== undefined) && { tokenizer }),
    },
    outputs: { records: { type: 'records' }, dropped: { type: 'records' } },
  }),
  check: (config) => [...config.rules.flatMap(checkRule), ...checkEncoding(config)],
  recordsPort: 'records',
  ...dataStage,
  load: () => import('./run-filter.ts'),
});

/** What a rule can be about. `at_least` and `at_most` are one condition, as are the two names of a field. */
const conditions = [
  ...(['present', 'one_of', 'none_of', 'at_least', 'at_most', 'characters', 'tokens'] as const),
  ...(['matches', 'does_not_match', 'unique', 'uncontaminated'] as const),
];
const aboutField = ['present', 'one_of', 'none_of', 'at_least', 'at_most'] as const;
const aboutRows = ['unique', 'uncontaminated'] as const;

function checkRule(rule: Rule, index: number): readonly ConfigProblem[] {
  const pointer = `/rules/${index}`;
  const given = conditions.filter((condition) => rule[condition] !== undefined);
  const kinds = new Set(given.map((name) => (name === 'at_most' ? 'at_least' : name)));
  if (kinds.size !== 1) {
    const message =
      kinds.size === 0
        ? 'the rule has no condition'
        : `the rule has ${kinds.size} conditions: ${given.join(', ')}`;
    const help = `a rule has one of ${conditions.join(', ')} (\`at_least\` and \`at_most\` may be together); write a rule for each`;
    return [{ pointer, code: 'one-condition', message, help }];
  }
  return [...checkFields(rule, pointer), ...checkRange(rule, pointer), ...checkPatterns(rule, pointer)];
}

function checkFields(rule: Rule, pointer: string): readonly ConfigProblem[] {
  const [condition] = conditions.filter((name) => rule[name] !== undefined);
  const problem = (field: 'field' | 'fields' | 'ngram', message: string): ConfigProblem => ({
    pointer: `${pointer}/${field}`,
    code: 'unheeded-field',
    message,
  });
  const isAboutRows = aboutRows.some((name) => name === condition);
  if (rule.field === undefined && aboutField.some((name) => name === condition))
    return [
      {
        pointer,
        code: 'missing-field',
        message: `\`${condition}\` names no \`field\``,
        help: 'say which field of the row it is about: field: rating',
      },
    ];
  return [
    ...(rule.field !== undefined && isAboutRows
      ? [problem('field', `\`field\` means nothing to \`${condition}\`, which compares \`fields\``)]
      : []),
    ...(rule.fields !== undefined && !isAboutRows
      ? [problem('fields', `\`fields\` means nothing to \`${condition}\`, which is about one \`field\``)]
      : []),
    ...(rule.ngram !== undefined && rule.uncontaminated !== 'ngrams'
      ? [problem('ngram', '`ngram` means something with `uncontaminated: ngrams` only')]
      : []),
  ];
}

/** A range that no number is in. */
function checkRange(rule: Rule, pointer: string): readonly ConfigProblem[] {
  const ranges = [
    { at: pointer, range: rule },
    { at: `${pointer}/characters`, range: rule.characters ?? {} },
    { at: `${pointer}/tokens`, range: rule.tokens ?? {} },
  ];
  return ranges.flatMap(({ at, range: { at_least: least, at_most: most } }) =>
    least === undefined || most === undefined || least <= most
      ? []
      : [
          {
            pointer: `${at}/at_most`,
            code: 'empty-range',
            message: `nothing is at least ${least} and at most ${most}`,
          },
        ],
  );
}

const checkPatterns = (rule: Rule, pointer: string): readonly ConfigProblem[] =>
  (['matches', 'does_not_match'] as const).flatMap((name) => {
    const pattern = rule[name];
    return pattern === undefined ? [] : problemsIn(`${pointer}/${name}`, () => linearPattern(pattern));
  });

function checkEncoding({ rules, encoding }: FilterConfig): readonly ConfigProblem[] {
  if (encoding === undefined || rules.some(({ tokens }) => tokens !== undefined)) return [];
  const message = '`encoding` means nothing where no rule counts `tokens`';
  return [{ pointer: '/encoding', code: 'unheeded-field', message }];
}
