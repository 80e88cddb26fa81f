import { jsonText, numberIn, UserError } from '../../core/index.ts';
import type { FilterConfig } from '../../generated/filter-config.ts';
import { type DataRecord, saysSomething } from '../../text/index.ts';
import { equalityOf, ngramsOf } from './equality.ts';
import { linearPattern } from './linear-pattern.ts';
import { missingField, textIn, valueIn } from './row-text.ts';

type Rule = FilterConfig['rules'][number];

/** Why a rule drops a record: nothing more to say, or the id of the other record that it is equal to. */
export interface Breach {
  readonly duplicate_of?: string;
  readonly found_in?: string;
}

export interface OpenRule {
  /** What counts and dropped records call it. */
  readonly name: string;
  /** Undefined if the record satisfies the rule. Throws a UserError if the record cannot be judged by it. */
  readonly breach: (record: DataRecord) => Breach | undefined;
}

export interface RuleInputs {
  /** How many tokens a text has. */
  readonly countTokens: (text: string) => number;
  /** The records that no kept one may be equal to. */
  readonly against: readonly DataRecord[];
}

/** A rule of a valid configuration as a function over records in their order. */
export function openRule(rule: Rule, inputs: RuleInputs): OpenRule {
  return { name: rule.name ?? wordsOf(rule), breach: breachOf(rule, inputs) };
}

const broken = (holds: boolean): Breach | undefined => (holds ? undefined : {});

function breachOf(rule: Rule, { countTokens, against }: RuleInputs): OpenRule['breach'] {
  const { field, fields, present, one_of: wanted, none_of: refused, characters, tokens } = rule;
  const { matches, does_not_match: mismatch, unique, uncontaminated } = rule;
  if (unique !== undefined) return uniqueness(equalityOf(unique, fields));
  if (uncontaminated === 'ngrams') return ngramOverlap(against, { fields, count: rule.ngram ?? 13 });
  if (uncontaminated !== undefined) return absence(equalityOf(uncontaminated, fields), against);
  if (characters !== undefined)
    return (record) => broken(isWithin([...textIn(record, field)].length, characters));
  if (tokens !== undefined) return (record) => broken(isWithin(countTokens(textIn(record, field)), tokens));
  if (matches !== undefined) {
    const pattern = linearPattern(matches);
    return (record) => broken(pattern(textIn(record, field)));
  }
  if (mismatch !== undefined) {
    const pattern = linearPattern(mismatch);
    return (record) => broken(!pattern(textIn(record, field)));
  }
  const name = field ?? '';
  if (present !== undefined) return (record) => broken(saysSomething(valueIn(record, name)) === present);
  if (wanted !== undefined) return (record) => broken(isAmong(record, { name, values: wanted }));
  if (refused !== undefined) return (record) => broken(!isAmong(record, { name, values: refused }));
  return (record) => broken(isWithin(numberAt(record, name), rule));
}

interface Range {
  readonly at_least?: number | undefined;
  readonly at_most?: number | undefined;
}

const isWithin = (
  value: number,
  { at_least: least = Number.NEGATIVE_INFINITY, at_most: most = Number.POSITIVE_INFINITY }: Range,
): boolean => value >= least && value <= most;

/** Text and number are told apart, but for the text of a number: a CSV file has no numbers. */
function isAmong(
  record: DataRecord,
  { name, values }: { readonly name: string; readonly values: readonly (string | number | boolean)[] },
): boolean {
  const value = valueIn(record, name);
  if (value === undefined) return false;
  const given = numberIn(value) ?? value;
  return values.some(
    (wanted) =>
      wanted === given || (typeof given === 'string' && typeof wanted !== 'string' && `${wanted}` === given),
  );
}

function numberAt(record: DataRecord, name: string): number {
  const value = valueIn(record, name);
  const text = typeof value === 'string' && value.trim() !== '' ? Number(value) : undefined;
  const number = numberIn(value) ?? text;
  if (number !== undefined && Number.isFinite(number)) return number;
  throw value === undefined
    ? missingField(record, name)
    : new UserError({
        code: 'not-a-number',
        message: `its field \`${name}\` is ${jsonText(value)}, not a number`,
        help: 'compare texts with `one_of`, `none_of` or `matches`; drop such records with a rule before this one',
      });
}

function uniqueness(keyOf: (record: DataRecord) => string): OpenRule['breach'] {
  const seen = new Map<string, string>();
  return (record) => {
    const key = keyOf(record);
    const before = seen.get(key);
    if (before !== undefined) return { duplicate_of: before };
    seen.set(key, record.id);
    return undefined;
  };
}

function absence(keyOf: (record: DataRecord) => string, against: readonly DataRecord[]): OpenRule['breach'] {
  const known = new Map(against.map((record) => [keyOf(record), record.id]));
  return (record) => {
    const found = known.get(keyOf(record));
    return found === undefined ? undefined : { found_in: found };
  };
}

function ngramOverlap(
  against: readonly DataRecord[],
  { fields, count }: { readonly fields: readonly string[] | undefined; readonly count: number },
): OpenRule['breach'] {
  const known = new Map<string, string>();
  for (const record of against)
    for (const ngram of ngramsOf(record, { fields, count }))
      if (!known.has(ngram)) known.set(ngram, record.id);
  return (record) => {
    for (const ngram of ngramsOf(record, { fields, count })) {
      const found = known.get(ngram);
      if (found !== undefined) return { found_in: found };
    }
    return undefined;
  };
}

/** A rule as its configuration says it: `output: characters at_most 4000`. */
function wordsOf({ name: _, field, fields, ...condition }: Rule): string {
  const said = Object.entries(condition).map(([name, value]) =>
    typeof value === 'object' && !Array.isArray(value)
      ? `${name} ${Object.entries(value)
          .map(([bound, number]) => `${bound} ${number}`)
          .join(' ')}`
      : `${name} ${typeof value === 'string' ? value : jsonText(value)}`,
  );
  const about = field ?? fields?.join(', ');
  return `${about === undefined ? '' : `${about}: `}${said.join(' ')}`;
}
