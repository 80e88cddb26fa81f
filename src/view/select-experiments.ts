import { didYouMean, type Json, numberIn, UserError } from '../core/index.ts';
import type { Experiment } from './experiments.ts';
import { experimentColumns } from './experiments-table.ts';

/** Which experiments are wanted, and in which order. */
export interface ExperimentQuery {
  /** Conditions that must all hold, as `epochs=2`, `exact_match>=0.9` or `state!=failed`. */
  readonly where?: readonly string[];
  /** A column's name: the best come first for a loss or a score, else the smallest. `-` before it reverses that. */
  readonly sort?: string;
  readonly limit?: number;
}

/**
 * Keeps the experiments that fit and sorts them. Those without the value to sort by come last. Throws a UserError for a
 * condition that cannot be read, and for a name that no experiment has.
 */
export function selectExperiments(
  experiments: readonly Experiment[],
  { where = [], sort, limit = experiments.length }: ExperimentQuery,
): readonly Experiment[] {
  const values = valueReaders(experiments);
  const conditions = where.map(parseCondition).map(({ name, operator, wanted, text }) => {
    const read = readerNamed(name, { values, text });
    return (experiment: Experiment) => holds(read.of(experiment), operator, wanted);
  });
  const kept = experiments.filter((experiment) => conditions.every((condition) => condition(experiment)));
  return (sort === undefined ? kept : sorted(kept, sort, values)).slice(0, limit);
}

interface ValueReader {
  readonly of: (experiment: Experiment) => Json | undefined;
  readonly higherIsBetter?: boolean | undefined;
}

type ValueReaders = ReadonlyMap<string, ValueReader>;

/** Every name that a condition may use, short and full. */
function valueReaders(experiments: readonly Experiment[]): ValueReaders {
  const place = new Map(experiments.map((experiment, index) => [experiment, index]));
  const readers = new Map<string, ValueReader>();
  for (const { name, fullName, higherIsBetter, cells } of experimentColumns(experiments)) {
    const reader = { of: (each: Experiment) => cells[place.get(each) ?? -1]?.value, higherIsBetter };
    readers.set(name, reader).set(fullName, reader);
  }
  const own: Readonly<Record<string, ValueReader['of']>> = {
    run: ({ run }) => run,
    point: ({ point }) => point,
    pipeline: ({ pipeline }) => pipeline,
    started: ({ started_at }) => started_at,
    state: ({ state }) => state,
    // In seconds, as people think of it.
    duration: ({ milliseconds }) => (milliseconds === undefined ? undefined : milliseconds / 1000),
    ran: ({ ran }) => ran,
    reused: ({ reused }) => reused,
  };
  for (const [name, of] of Object.entries(own)) readers.set(name, { of });
  return readers;
}

const CONDITION = /^(.+?)\s*(!=|>=|<=|=|<|>)\s*(.*)$/s;

function parseCondition(text: string) {
  const [, name, operator, wanted] = CONDITION.exec(text.trim()) ?? [];
  if (name !== undefined && operator !== undefined && wanted !== undefined)
    return { name, operator, wanted, text };
  throw new UserError({
    code: 'bad-condition',
    message: `\`${text}\` is no condition`,
    help: 'write a name, one of = != < <= > >=, and a value, as in `epochs=2` or `exact_match>=0.9`',
  });
}

function readerNamed(
  name: string,
  { values, text }: { readonly values: ValueReaders; readonly text: string },
): ValueReader {
  const found = values.get(name);
  if (found !== undefined) return found;
  throw new UserError({
    code: 'unknown-column',
    message: `no run has ${text === name ? `a column \`${name}\`` : `\`${name}\`, which \`${text}\` names`}`,
    help: likelyNames(name, values),
  });
}

const NAMED = 8;

/** The columns of several stages that end in that name, else a similar name, else the names that are shortest to type. */
function likelyNames(name: string, values: ValueReaders): string {
  const known = [...values.keys()];
  const ends = known.filter((each) => each.endsWith(`.${name}`));
  if (ends.length > 0) return `did you mean ${ends.map((each) => `\`${each}\``).join(' or ')}?`;
  const short = known.filter((each) => !each.includes('.'));
  const few = short.slice(0, NAMED);
  const rest = known.length - few.length;
  return didYouMean(name, known) ?? `it is one of ${few.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** Numbers are compared as numbers. A value that is absent fits `!=` alone. */
function holds(value: Json | undefined, operator: string, wanted: string): boolean {
  const order = value === undefined ? Number.NaN : compareWith(value, wanted);
  switch (operator) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    default:
      return order >= 0;
  }
}

function compareWith(value: Json, wanted: string): number {
  const [left, right] = [numberIn(value), wanted === '' ? Number.NaN : Number(wanted)];
  if (left !== undefined) return Number.isNaN(right) ? Number.NaN : left - right;
  return compareTexts(typeof value === 'string' ? value : JSON.stringify(value), wanted);
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function sorted(
  experiments: readonly Experiment[],
  sort: string,
  values: ValueReaders,
): readonly Experiment[] {
  const isReversed = sort.startsWith('-') && !values.has(sort);
  const { of, higherIsBetter = false } = readerNamed(isReversed ? sort.slice(1) : sort, {
    values,
    text: sort,
  });
  const sign = higherIsBetter === isReversed ? 1 : -1;
  return [...experiments].sort((a, b) => {
    const [left, right] = [of(a), of(b)].map((value) => (value === null ? undefined : value));
    if (left === undefined || right === undefined)
      return (left === undefined ? 1 : 0) - (right === undefined ? 1 : 0);
    const [low, high] = [numberIn(left), numberIn(right)];
    if (low !== undefined && high !== undefined) return sign * (low - high);
    if (low !== undefined || high !== undefined) return low === undefined ? 1 : -1;
    return sign * compareTexts(JSON.stringify(left), JSON.stringify(right));
  });
}
