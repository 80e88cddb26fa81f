import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { filterStage } from '../../../src/stages/filter/filter-stage.ts';
import { linearPattern } from '../../../src/stages/filter/linear-pattern.ts';
import * as filter from '../../../src/stages/filter/run-filter.ts';
import { openStageRig } from '../stage-rig.ts';

async function filtered(
  records: readonly JsonObject[],
  rules: readonly JsonObject[],
  { against, ...more }: { readonly against?: readonly Json[]; readonly encoding?: string } = {},
) {
  await using rig = await openStageRig();
  await rig.writeRecords(
    'in',
    records.map((record, index) => ({ id: `${index}`, ...record })),
  );
  if (against) await rig.writeRecords('against', against);
  const measured = await rig.run(filter, {
    config: { rules: [...rules], ...more },
    inputs: { records: 'in', ...(against && { against: 'against' }) },
    outputs: { records: 'kept', dropped: 'dropped' },
  });
  const kept = ((await rig.readRecords('kept')) as { id: string }[]).map(({ id }) => id);
  return {
    kept,
    dropped: (await rig.readRecords('dropped')) as JsonObject[],
    reports: rig.reports,
    measured,
  };
}

const keptOf = async (records: readonly JsonObject[], rule: JsonObject) =>
  (await filtered(records, [rule])).kept;

test('the first rule that a record breaks drops it, with a count by rule and what was dropped beside', async () => {
  const rows = [
    { lang: 'en', text: 'Short.' },
    { lang: 'fr', text: 'Court.' },
    { lang: 'en', text: 'Much too long a text.' },
    { lang: 'en', text: ' SHORT. ' },
  ];
  const rules = [
    { field: 'lang', one_of: ['en'] },
    { name: 'long', field: 'text', characters: { at_most: 10 } },
    { unique: 'normalized', fields: ['text'] },
  ];
  expect(await filtered(rows, rules)).toEqual({
    kept: ['0'],
    dropped: [
      { id: '1', ...rows[1], dropped_by: 'lang: one_of ["en"]' },
      { id: '2', ...rows[2], dropped_by: 'long' },
      { id: '3', ...rows[3], dropped_by: 'text: unique normalized', duplicate_of: '0' },
    ],
    reports: [
      {
        type: 'note',
        level: 'info',
        message:
          'kept 1 of 4 records; dropped 1 by `lang: one_of ["en"]`, 1 by `long`, 1 by `text: unique normalized`',
      },
    ],
    measured: { kept: 1, dropped: { 'lang: one_of ["en"]': 1, long: 1, 'text: unique normalized': 1 } },
  });
});

describe('conditions', () => {
  test('`present` tells apart what says something from null, blanks and empty lists', async () => {
    const rows = [{ a: 'x' }, { a: ' ' }, { a: null }, {}, { a: [] }, { a: 0 }];
    expect(await keptOf(rows, { field: 'a', present: true })).toEqual(['0', '5']);
    expect(await keptOf(rows, { field: 'a', present: false })).toEqual(['1', '2', '3', '4']);
  });

  test('numbers count also as the text that a CSV file has', async () => {
    const rows = [{ a: 3 }, { a: '4' }, { a: 5.5 }];
    expect(await keptOf(rows, { field: 'a', at_least: 4, at_most: 5 })).toEqual(['1']);
    expect(await keptOf(rows, { field: 'a', one_of: [3, 4] })).toEqual(['0', '1']);
    expect(await keptOf(rows, { field: 'a', none_of: [3] })).toEqual(['1', '2']);
  });

  test('characters are Unicode characters, and of a conversation those of its turns', async () => {
    const turns = [
      { role: 'user', content: 'ab' },
      { role: 'assistant', content: '😀' },
    ];
    const rows = [{ a: '😀😀' }, { a: turns }, { a: 'abcde' }];
    expect(await keptOf(rows, { field: 'a', characters: { at_most: 4 } })).toEqual(['0', '1']);
  });

  test('tokens are those of the encoding, of a field or of the whole text that format wrote', async () => {
    const segments = [
      { role: 'prompt', text: 'one two' },
      { role: 'response', text: ' three four' },
    ];
    const records = [
      { segments, fields: { a: 'one' } },
      { segments: segments.slice(0, 1), fields: { a: 'one two three' } },
    ];
    const encoding = 'r50k_base';
    expect((await filtered(records, [{ tokens: { at_most: 3 } }], { encoding })).kept).toEqual(['1']);
    expect((await filtered(records, [{ field: 'a', tokens: { at_most: 1 } }], { encoding })).kept).toEqual([
      '0',
    ]);
  });

  test('a regular expression is searched for in time that grows with the text alone', async () => {
    const rows = [{ a: 'As an AI language model' }, { a: 'yes' }];
    expect(await keptOf(rows, { field: 'a', does_not_match: '(?i)as an ai' })).toEqual(['1']);
    expect(await keptOf(rows, { field: 'a', matches: '^As' })).toEqual(['0']);
    // A backtracking engine would take some 2^40 steps.
    expect(linearPattern('^(a+)+$')(`${'a'.repeat(40)}b`)).toBe(false);
  });
});

test('duplicates are compared by all fields but id and dataset, or by those that are named', async () => {
  const rows = [
    { q: 'A  b', dataset: 'x' },
    { q: 'A  b', dataset: 'y' },
    { q: 'a b' },
    { q: 'a b', input: '' },
  ];
  expect(await keptOf(rows, { unique: 'exact' })).toEqual(['0', '2', '3']);
  expect(await keptOf(rows, { unique: 'exact', fields: ['q', 'input'] })).toEqual(['0', '2']);
  expect(await keptOf(rows, { unique: 'normalized', fields: ['q'] })).toEqual(['0']);
});

test('contamination is a record of the other set, by equality or by words in a row', async () => {
  const rows = [
    { q: 'What is the capital of France, then?' },
    { q: 'what is THE capital of Spain' },
    { q: 'Why?' },
  ];
  const against = [
    { id: 't1', q: 'Tell me: what is the capital of France' },
    { id: 't2', q: 'Why' },
  ];
  const rule = { fields: ['q'] };
  const by = async (how: JsonObject) =>
    (await filtered(rows, [{ ...rule, ...how }], { against })).dropped.map(({ id, found_in: found }) => [
      id,
      found,
    ]);
  expect(await by({ uncontaminated: 'normalized' })).toEqual([]);
  expect(await by({ uncontaminated: 'ngrams', ngram: 6 })).toEqual([
    ['0', 't1'],
    ['2', 't2'],
  ]);
});

test('a record that a rule cannot judge is an error with what to do', async () => {
  await expect(filtered([{ a: 'high' }, {}], [{ field: 'a', at_least: 1 }])).rejects.toMatchObject({
    code: 'not-a-number',
    message: '2 of 2 records cannot be judged by the rules',
    records: [
      { id: '0', problem: 'its field `a` is "high", not a number' },
      { id: '1', problem: 'it has no field `a`' },
    ],
  });
  await expect(filtered([{ a: 'x' }], [{ characters: { at_most: 3 } }])).rejects.toMatchObject({
    code: 'no-text',
    help: 'name the `field` that the rule is about, or put a `format` stage in front of this one',
  });
});

test('a field that no record has is a warning, or an error, that says what was meant', async () => {
  const rows = [{ category: 'math' }, { category: 'chat' }];
  const { kept, reports } = await filtered(rows, [{ field: 'categroy', none_of: ['math'] }]);
  expect([kept, reports]).toEqual([
    ['0', '1'],
    [
      {
        type: 'note',
        level: 'warning',
        message: 'no record has the field `categroy` of a rule; did you mean `category`?',
      },
      { type: 'note', level: 'info', message: 'kept 2 of 2 records' },
    ],
  ]);
  await expect(filtered(rows, [{ field: 'Category', characters: { at_least: 1 } }])).rejects.toMatchObject({
    help: 'did you mean `category`? the row has `id`, `category`; `- { field: Category, present: true }` before the rule drops such records',
  });
});

test('rules that say nothing, too much or nonsense are refused before anything runs', () => {
  const problems = (rules: readonly JsonObject[], more: JsonObject = {}) =>
    filterStage.check?.({ rules, ...more }).map(({ pointer, code }) => [pointer, code]);
  expect(
    problems(
      [
        { field: 'a' },
        { field: 'a', matches: 'x', unique: 'exact' },
        { present: true },
        { field: 'a', unique: 'exact' },
        { fields: ['a'], characters: { at_least: 3, at_most: 2 } },
        { field: 'a', matches: '(?=x)' },
        { field: 'a', at_least: 2, at_most: 1 },
        { unique: 'exact', ngram: 3 },
      ],
      { encoding: 'r50k_base' },
    ),
  ).toEqual([
    ['/rules/0', 'one-condition'],
    ['/rules/1', 'one-condition'],
    ['/rules/2', 'missing-field'],
    ['/rules/3/field', 'unheeded-field'],
    ['/rules/4/fields', 'unheeded-field'],
    ['/rules/4/characters/at_most', 'empty-range'],
    ['/rules/5/matches', 'bad-pattern'],
    ['/rules/6/at_most', 'empty-range'],
    ['/rules/7/ngram', 'unheeded-field'],
    ['/encoding', 'unheeded-field'],
  ]);
});

test('the ports follow the rules', () => {
  const portsOf = (config: JsonObject) => Object.keys(filterStage.ports(config).inputs);
  expect(portsOf({ rules: [{ unique: 'exact' }] })).toEqual(['records']);
  expect(portsOf({ rules: [{ uncontaminated: 'exact' }, { tokens: { at_most: 3 } }] })).toEqual([
    ...['records', 'against', 'tokenizer'],
  ]);
  expect(portsOf({ rules: [{ tokens: { at_most: 3 } }], encoding: 'r50k_base' })).toEqual(['records']);
});
