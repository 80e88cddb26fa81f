import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseDigest } from '../../src/runtime/key/digest.ts';
import {
  type Answer,
  answerChunks,
  type Evaluation,
  plotColors,
  reportPage,
  scoreTables,
} from '../../src/view/index.ts';
import { producersIn } from '../../src/view/stage-edges.ts';

const answer = (text: string, score?: number): Answer =>
  score === undefined ? { text } : { text, score, right: score === 1 };

const answers = {
  columns: [
    { run: 'r1', stage: 'before', metric: 'exact_match', higher_is_better: true },
    { run: 'r1', stage: 'after', metric: 'exact_match', higher_is_better: true },
  ],
  rows: [
    { id: 'same', question: '', expected: '', answers: [answer('x', 1), answer('x', 1)] },
    { id: 'better', question: '', expected: '', answers: [answer('x', 0), answer('y', 1)] },
    { id: 'worse', question: '', expected: '', answers: [answer('x', 1), answer('y', 0)] },
    { id: 'still wrong', question: '', expected: '', answers: [answer('x', 0), answer('y', 0)] },
    { id: 'new', question: '', expected: '', answers: [null, answer('y')] },
  ],
};

const bytesOf = (packed: string): readonly number[] => [...gunzipSync(Buffer.from(packed, 'base64'))];

describe("the page of a report's answers", () => {
  it('flags what changed, what is wrong, and what became worse or better', () => {
    const report = {
      ...{ format: 1 as const, title: 't', runs: [], trainings: [], scores: [], batches: [] },
      answers: [answers],
    };
    const [index] = reportPage(report, { plots: { trainings: [], scores: [] }, madeBy: 'x' }).answers;
    expect(index && { ...index, flags: bytesOf(index.flags) }).toEqual({
      columns: answers.columns,
      count: 5,
      baseline: 0,
      chunk_rows: 500,
      flags: [0, 1 | 8, 1 | 2 | 4, 1 | 2, 1],
      filters: [
        { name: 'changed', bit: 1, count: 4 },
        { name: 'wrong', bit: 2, count: 2 },
        { name: 'worse', bit: 4, count: 1 },
        { name: 'better', bit: 8, count: 1 },
      ],
    });
  });

  it('has every row in its chunks, in order', () => {
    const rows = Array.from({ length: 1201 }, (_, row) => ({
      ...{ id: `${row}`, question: 'q', expected: '', answers: [answer('a')] },
    }));
    const chunks = answerChunks({ columns: answers.columns, rows }).map((chunk) =>
      JSON.parse(gunzipSync(Buffer.from(chunk, 'base64')).toString()),
    );
    expect(chunks.map((chunk) => chunk.length)).toEqual([500, 500, 201]);
    expect(chunks.flat()).toEqual(rows);
  });
});

describe('scores side by side', () => {
  const scored = (run: string, stage: string, value: number, error = 0.1): Evaluation => ({
    run,
    stage,
    metrics: [{ metric: 'exact_match', value, higher_is_better: true, count: 10, standard_error: error }],
  });

  it('show an evaluation that runs share once, and the runs of a stage beside each other', () => {
    const [table, ...others] = scoreTables([
      ...[scored('r1', 'before', 0.5), scored('r1', 'after', 0.75)],
      ...[scored('r2', 'before', 0.5), scored('r2', 'after', 0.875)],
    ]);
    expect(others).toEqual([]);
    expect(table?.columns).toEqual([
      { run: 'r1', stage: 'before', in_all_runs: true },
      { run: 'r1', stage: 'after' },
      { run: 'r2', stage: 'after' },
    ]);
    expect(table?.rows.map(({ cells }) => cells.map((cell) => cell?.value))).toEqual([[0.5, 0.75, 0.875]]);
  });

  it('have intervals of 1.96 standard errors, within 0 and 1 for a share', () => {
    const [table] = scoreTables([scored('r1', 'a', 0.5), scored('r1', 'b', 0.9)]);
    const [a, b] = table?.rows[0]?.cells ?? [];
    // The 97.5 % point of the standard normal distribution is 1.959964.
    expect(a?.low).toBeCloseTo(0.3040036, 7);
    expect(a?.high).toBeCloseTo(0.6959964, 7);
    expect(b?.low).toBeCloseTo(0.7040036, 7);
    expect(b?.high).toBe(1);
  });

  it('are undefined where the responses do not define them', () => {
    const [table] = scoreTables([{ ...scored('r1', 'a', Number.NaN) }]);
    expect(table?.rows[0]?.cells).toEqual([{ value: null, count: 10 }]);
  });
});

describe('the stages of a run', () => {
  const digest = (digit: string) => {
    const parsed = parseDigest(`sha256:${digit.repeat(64)}`);
    if (parsed === undefined) throw new Error(digit);
    return parsed;
  };

  it('are joined by what one wrote and another read, a part by its name', () => {
    const [rows, train, test, model] = ['1', '2', '3', '4'].map(digest);
    if (!rows || !train || !test || !model) throw new Error('four digests');
    const edges = producersIn([
      { id: 'load', inputs: {}, outputs: { records: rows } },
      { id: 'split', inputs: { records: rows }, outputs: { records: { parts: { train, test } } } },
      { id: 'train', inputs: { train }, outputs: { model } },
      { id: 'count', inputs: { records: { parts: { test, train } } }, outputs: {} },
      { id: 'elsewhere', inputs: { records: digest('9') }, outputs: {} },
    ]);
    expect(edges).toEqual([
      { from: 'load', output: 'records', to: 'split', port: 'records' },
      { from: 'split', output: 'records', part: 'train', to: 'train', port: 'train' },
      { from: 'split', output: 'records', to: 'count', port: 'records' },
    ]);
  });
});

it('the style sheet of the pages has the colors of the plots', () => {
  const css = readFileSync(new URL('../../src/pages/styles/base.css', import.meta.url), 'utf8');
  const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');
  const colorIn = (part: string, name: string): string | undefined => {
    const value = new RegExp(`--${name}: ([^;]+);`).exec(part)?.[1];
    const [, other] = /^var\(--([\w-]+)\)$/.exec(value ?? '') ?? [];
    return other === undefined ? value : colorIn(part, other);
  };
  // Plots take the color of the text from the page.
  const roles = Object.entries(plotColors).filter(([role]) => role !== 'text');
  const inherited = /--plot-\w+: var\(--([\w-]+)\);/g;
  const names = new Map(
    [...light.matchAll(inherited)].map(([line, name = '']) => [line.slice(7, line.indexOf(':')), name]),
  );
  for (const [role, colors] of roles) {
    expect([role, colorIn(light, `plot-${role}`)]).toEqual([role, colors.light]);
    expect([role, colorIn(dark, names.get(role) ?? `plot-${role}`)]).toEqual([role, colors.dark]);
  }
});
