import { expect, test } from 'vitest';
import { benchmarkMetrics, benchmarks } from '../../src/benchmarks/benchmarks.ts';
import type { Json } from '../../src/core/json.ts';
import { stageSchemas } from '../../src/generated/stage-schemas.ts';
import { generalMetrics } from '../../src/metrics/metrics.ts';
import { namedTemplates } from '../../src/text/template/named-templates.ts';

/** The list below a path of a stage's schema. */
function namesAt(stage: keyof typeof stageSchemas, ...path: readonly string[]): readonly Json[] {
  const found = path.reduce<Json | undefined>(
    (value, key) => (value as Readonly<Record<string, Json>>)[key],
    stageSchemas[stage].schema as Json,
  );
  return (found as readonly Json[]).toSorted();
}

test('the schemas allow the names that the sources declare, and no others', () => {
  const templates = benchmarks.flatMap((benchmark) => Object.keys(benchmark.templates ?? {}));
  expect({
    as: namesAt('load', 'properties', 'as', 'enum'),
    template: namesAt('format', 'properties', 'template', 'anyOf', '0', 'enum'),
    metrics: namesAt('evaluate', 'properties', 'metrics', 'items', 'enum'),
  }).toEqual({
    as: benchmarks.map(({ name }) => name).sort(),
    template: [...Object.keys(namedTemplates), 'chat', ...templates].sort(),
    metrics: [...Object.keys(generalMetrics), ...Object.keys(benchmarkMetrics)].sort(),
  });
});

test('no two metrics and no two scorers have the same name', () => {
  const repeated = (names: readonly string[]) => names.filter((name, index) => names.indexOf(name) !== index);
  const metrics = benchmarks.flatMap(({ metrics = {} }) => Object.keys(metrics));
  expect({
    metrics: repeated([...Object.keys(generalMetrics), ...metrics]),
    scorers: repeated(benchmarks.flatMap(({ scorers = {} }) => Object.keys(scorers))),
  }).toEqual({ metrics: [], scorers: [] });
});
