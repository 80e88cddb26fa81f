import { didYouMean, isList, isObject, type Json } from '../../../core/index.ts';
import { fewOf, joined, listOf, quoted, valueInWords } from '../../diagnostic/diagnostic.ts';
import type { ConfigSchema } from '../../stage/stage-definition.ts';
import { propertiesOf } from './applicable-schemas.ts';
import {
  examplesOf,
  type Misfit,
  type MissingField,
  type SchemaFinding,
  type UnknownField,
} from './schema-finding.ts';

interface Wording {
  readonly code: string;
  readonly message: string;
  readonly help?: string | undefined;
}

/** The value that a finding is about, and what messages call it. */
interface Subject {
  readonly name: string;
  readonly value: Json | undefined;
}

/** A finding as one sentence. */
export function formatSchemaError(finding: SchemaFinding, subject: Subject): Wording {
  const { name, value } = subject;
  switch (finding.kind) {
    case 'unknown-field':
      return unknownField(finding, subject);
    case 'missing-field':
      return missingField(finding, name);
    case 'misfit':
      return misfit(finding, subject);
    case 'limit':
      return { code: 'out-of-range', message: `${name} ${limitInWords(finding, value)}` };
    case 'pattern':
      return {
        code: 'bad-format',
        message: `${name} cannot be ${valueInWords(value)}`,
        help: examplesInWords(finding.examples),
      };
    case 'bad-name':
      return badName(finding);
    case 'duplicate-item':
      return {
        code: 'duplicate-item',
        message: `${name} holds an item twice: its items ${finding.first + 1} and ${finding.second + 1} are equal`,
      };
    case 'conflict':
      return {
        code: 'conflicting-fields',
        message: `${name} takes only one of ${listOf(finding.fields, 'and')}`,
      };
    case 'other':
      return {
        code: 'invalid-value',
        message: `${name} is not valid (its schema's rule ${quoted(finding.keyword)})`,
      };
    default:
      return finding satisfies never;
  }
}

function badName({ name, pattern }: Extract<SchemaFinding, { kind: 'bad-name' }>): Wording {
  const hyphen = allowsHyphen(pattern) ? ', `-`' : '';
  return {
    code: 'bad-name',
    message: `${quoted(name)} cannot be a name here`,
    help: `a name is a letter, then letters, digits${hyphen} and \`_\``,
  };
}

const allowsHyphen = (pattern: string): boolean => new RegExp(pattern, 'u').test('a-b');

function unknownField({ field, known }: UnknownField, { name, value }: Subject): Wording {
  const present = Object.keys(value ?? {});
  const open = known.filter((other) => !present.includes(other));
  const all = known.length === 0 ? 'it takes no fields' : `it takes ${fewOf(known.map(quoted), 'and')}`;
  return {
    code: 'unknown-field',
    message: `${name} has no field ${quoted(field)}`,
    // A field that is already there may be the one that an overlay means to change.
    help: didYouMean(field, open) ?? didYouMean(field, known) ?? all,
  };
}

function missingField({ fields, need, schema }: MissingField, name: string): Wording {
  const [only, ...others] = fields;
  const single = only !== undefined && others.length === 0 ? propertiesOf(schema)[only] : undefined;
  const article = others.length === 0 ? 'the field' : need === 'any' ? 'one of the fields' : 'the fields';
  return {
    code: 'missing-field',
    message: `${name} needs ${article} ${listOf(fields, need === 'any' ? 'or' : 'and')}`,
    help: single && fieldHelp(only ?? '', single),
  };
}

function fieldHelp(name: string, field: ConfigSchema): string | undefined {
  const [example] = examplesOf(field);
  if (example !== undefined) return `for example ${quoted(`${name}: ${inYaml(example)}`)}`;
  return typeof field.description === 'string' ? field.description : undefined;
}

/** The wrong value, and then what was meant: of many choices the first few. */
function misfit({ types, choices, examples }: Misfit, { name, value }: Subject): Wording {
  const isContainer = (type: string): boolean => type === 'object' || type === 'array';
  const scalars = types.filter((type) => !isContainer(type) && (type !== 'null' || types.length === 1));
  const words = [scalars, types.filter(isContainer)].flatMap((list) => list.map(typeInWords));
  const meant =
    typeof value === 'string'
      ? (didYouMean(
          value,
          choices.filter((choice) => typeof choice === 'string'),
        ) ?? withoutQuotes(value, types))
      : undefined;
  if (choices.length === 0)
    return {
      code: 'wrong-type',
      message: `${name} must be ${joined(words, 'or')}, not ${valueInWords(value)}`,
      help: meant ?? examplesInWords(examples),
    };
  const given = typeof value === 'string' ? quoted(value) : valueInWords(value);
  const expected = fewOf([...choices.map((choice) => quoted(inYaml(choice))), ...words], 'or');
  return {
    code: types.length === 0 ? 'not-one-of' : 'wrong-type',
    message: `${name} cannot be ${given}`,
    help: helpWith(meant, expected, types.length === 0 ? undefined : examplesInWords(examples)),
  };
}

/** What was meant comes before what is possible. */
function helpWith(meant: string | undefined, expected: string, examples: string | undefined): string {
  if (meant !== undefined) return meant.endsWith('?') ? `${meant} It takes ${expected}` : meant;
  return `it takes ${expected}${examples === undefined ? '' : `; ${examples}`}`;
}

function withoutQuotes(text: string, types: readonly string[]): string | undefined {
  const isNumber =
    text.trim() !== '' &&
    Number.isFinite(Number(text)) &&
    types.some((type) => type === 'number' || type === 'integer');
  const isBoolean = (text === 'true' || text === 'false') && types.includes('boolean');
  return isNumber || isBoolean ? 'write it without quotes' : undefined;
}

const phrases: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a map',
  null: 'empty',
};

const typeInWords = (type: string): string => phrases[type] ?? type;

function limitInWords(
  { keyword, limit }: Extract<SchemaFinding, { kind: 'limit' }>,
  value: Json | undefined,
): string {
  const size = typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
  const given = valueInWords(value);
  switch (keyword) {
    case 'minimum':
      return `must be at least ${limit}, not ${given}`;
    case 'maximum':
      return `must be at most ${limit}, not ${given}`;
    case 'exclusiveMinimum':
      return `must be more than ${limit}, not ${given}`;
    case 'exclusiveMaximum':
      return `must be less than ${limit}, not ${given}`;
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} characters`;
    case 'maxLength':
      return `must have at most ${limit} characters`;
    case 'minItems':
    case 'minProperties':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} entries, not ${size}`;
    default:
      return `must have at most ${limit} ${limit === 1 ? 'entry' : 'entries'}, not ${size}`;
  }
}

function examplesInWords(examples: readonly Json[]): string | undefined {
  return examples.length === 0
    ? undefined
    : `for example ${joined(
        examples.slice(0, 3).map((example) => quoted(inYaml(example))),
        'or',
      )}`;
}

/** A value as typed on one line of YAML. */
function inYaml(value: Json): string {
  if (isList(value)) return `[${value.map(inYaml).join(', ')}]`;
  if (isObject(value))
    return `{ ${Object.entries(value)
      .map(([key, child]) => `${key}: ${inYaml(child)}`)
      .join(', ')} }`;
  return typeof value === 'string' && /^[\w./:-][\w ./:-]*$/.test(value) ? value : JSON.stringify(value);
}
