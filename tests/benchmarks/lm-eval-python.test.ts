import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aggregate } from '../../src/benchmarks/lm-eval/aggregate.ts';
import { withPandasTypes } from '../../src/benchmarks/lm-eval/csv-types.ts';
import { pipelineOf } from '../../src/benchmarks/lm-eval/filter-list.ts';
import type { Aggregation } from '../../src/benchmarks/lm-eval/metric-list.ts';
import { type NotedValue, notedValues } from '../../src/benchmarks/lm-eval/noted-values.ts';
import { PythonRandom } from '../../src/benchmarks/lm-eval/python-random.ts';
import type { Scoring } from '../../src/benchmarks/lm-eval/row.ts';
import { type Json, type JsonObject, jsonText, parseExactly } from '../../src/core/index.ts';
import { readDelimitedRows } from '../../src/formats/index.ts';
import { literalJson, PythonRegex, strictTemplate } from '../../src/text/index.ts';
import { openStageRig } from '../stages/stage-rig.ts';

interface Expected {
  readonly value?: Json;
  readonly fails?: true;
}
interface Figure {
  readonly value: number;
  readonly error?: number;
}
interface Python {
  readonly regexes: readonly { pattern: string; text: string; found: Json }[];
  readonly subs: readonly {
    pattern: string;
    replacement: string;
    text: string;
    count: number;
    value: string;
  }[];
  readonly literals: readonly (Expected & { text: string })[];
  readonly doc: JsonObject;
  readonly templates: readonly (Expected & { source: string })[];
  readonly choices: readonly string[];
  readonly filters: readonly { filters: readonly JsonObject[]; answers: readonly string[]; value: Json }[];
  readonly matches: readonly { answer: string; gold: string; options: JsonObject; value: Json }[];
  readonly figures: Readonly<Record<Aggregation, Figure>> & {
    labels: readonly [number, number][];
    binary: readonly [number, number][];
    numbers: readonly number[];
    weighted: readonly [number, number][];
  };
  readonly samples: readonly { of: number; count: number; drawn: readonly number[] }[];
  readonly csv: { text: string; rows: Json };
}

const fixture = join(import.meta.dirname, '../fixtures/benchmarks/lm-eval/python.json');
const python = parseExactly(await readFile(fixture, 'utf8')) as Python;

/** What work gives, or that it fails, as the fixture has it. */
function attempt(work: () => Json | undefined): Expected {
  try {
    const value = work();
    return value === undefined ? { fails: true } : { value };
  } catch {
    return { fails: true };
  }
}

describe("Python's way", () => {
  it('finds with regular expressions', () => {
    const found = python.regexes.map(({ pattern, text }) => new PythonRegex(pattern).findAll(text));
    expect(found).toEqual(python.regexes.map((one) => one.found));
  });

  it('replaces with regular expressions', () => {
    const replaced = python.subs.map(({ pattern, replacement, text, count }) =>
      new PythonRegex(pattern).replace(text, replacement, count),
    );
    expect(replaced).toEqual(python.subs.map(({ value }) => value));
  });

  it.each([
    String.raw`(a)\1`,
    '(?:(a)|b)*',
    'a++',
    '(?x) a',
    '(?i:a)',
    '(?(1)a|b)',
    '[z-a]',
    '(a',
    'a)',
    '*a',
    String.raw`\p{L}`,
  ])('refuses the regular expression %s, which JavaScript would match otherwise', (pattern) => {
    expect(() => new PythonRegex(pattern)).toThrow();
  });

  it('evaluates literals', () => {
    const evaluated = python.literals.map(({ text }) => ({ text, ...attempt(() => literalJson(text)) }));
    expect(evaluated.map((one) => jsonText(one))).toEqual(python.literals.map((one) => jsonText(one)));
  });

  it.each(['{1, 2}', "b'a'", '1 + 2j', 'set()', '{1: 2}'])(
    'refuses the literal %s, which JSON has not',
    (text) => {
      expect(() => literalJson(text)).toThrow(/not supported/);
    },
  );

  it('renders templates in which nothing may be missing', () => {
    const rendered = python.templates.map(({ source }) => ({
      source,
      ...attempt(() => strictTemplate(source)(python.doc)),
    }));
    expect(rendered).toEqual(python.templates);
  });

  it('draws samples', () => {
    const random = new PythonRandom(1234);
    const drawn = python.samples.map(({ of, count }) => random.sample(of, count));
    expect(drawn).toEqual(python.samples.map((one) => one.drawn));
  });

  it('gives the columns of a CSV file types', async () => {
    await using rig = await openStageRig();
    const path = await rig.write('rows.csv', python.csv.text);
    const rows: Json[] = [];
    for await (const { row } of readDelimitedRows(path, { type: 'csv' })) rows.push(row);
    expect(jsonText(withPandasTypes(rows))).toBe(jsonText(python.csv.rows));
  });
});

describe("lm-evaluation-harness's way", () => {
  it('filters answers', () => {
    const filtered = python.filters.map(({ filters, answers }) =>
      pipelineOf({ name: 'f', filters })(answers, { choices: python.choices }),
    );
    expect(filtered).toEqual(python.filters.map(({ value }) => value));
  });

  it('compares answers with what is expected', () => {
    const response = { id: '', prompt: '', expected: '', fields: {} };
    const compared = python.matches.map(({ answer, gold, options }) => {
      const metric = { metric: 'exact_match', aggregation: 'mean', higher_is_better: true, options } as const;
      const scoring = { output_type: 'generate_until', metrics: [metric] } as unknown as Scoring;
      return notedValues({ fields: { target: gold }, response, answer }, scoring).get('exact_match');
    });
    expect(compared).toEqual(python.matches.map(({ value }) => ({ kind: 'number', value: Number(value) })));
  });

  it.each([
    'matthews_corrcoef',
    'f1',
    'mean',
    'median',
    'perplexity',
    'weighted_perplexity',
    'bits_per_byte',
  ] as const)('computes %s and its standard error', (aggregation) => {
    const { labels, binary, numbers, weighted, [aggregation]: figure } = python.figures;
    const noted: readonly NotedValue[] =
      aggregation === 'matthews_corrcoef' || aggregation === 'f1'
        ? (aggregation === 'f1' ? binary : labels).map(([gold, predicted]) => ({
            kind: 'labels',
            gold,
            predicted,
          }))
        : aggregation === 'weighted_perplexity' || aggregation === 'bits_per_byte'
          ? weighted.map(([value, weight]) => ({ kind: 'weighted', value: Number(value), weight }))
          : numbers.map((value) => ({ kind: 'number', value: Number(value) }));
    const { value, standardError } = aggregate(noted, { aggregation, resampling: { rounds: 1000, seed: 0 } });
    const close = (number: number | undefined) =>
      number === undefined ? undefined : expect.closeTo(Number(number), 10);
    expect({ value, standardError }).toEqual({
      value: close(figure.value),
      standardError: close(figure.error),
    });
  });
});
