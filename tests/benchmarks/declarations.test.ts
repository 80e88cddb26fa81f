import { expect, test } from 'vitest';
import { benchmarkMetrics, benchmarks, scorers } from '../../src/benchmarks/benchmarks.ts';
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

test('no two benchmarks declare one name', () => {
  const declared = benchmarks.flatMap(({ metrics = {}, scorers: own = {} }) => [
    ...Object.keys(metrics),
    ...Object.keys(own),
  ]);
  expect(declared.length).toBe(Object.keys(benchmarkMetrics).length + scorers.size);
});
