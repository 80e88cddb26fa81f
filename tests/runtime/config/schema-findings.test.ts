import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { selectFindings } from '../../../src/runtime/config/schema/select-findings.ts';
import { exampleStages } from '../example/example-stages.ts';

const train = exampleStages.get('train');
if (train === undefined) throw new Error('the example has a train stage');

const anyConfig = fc.record(
  {
    epochs: fc.oneof(fc.integer({ min: 1 }), fc.jsonValue()),
    shuffle: fc.oneof(fc.boolean(), fc.jsonValue()),
    schedule: fc.oneof(
      fc.record(
        { name: fc.constantFrom('constant', 'cosine', 'linear'), steps: fc.integer() },
        { requiredKeys: [] },
      ),
      fc.jsonValue(),
    ),
    optimizer: fc.oneof(fc.record({ learning_rate: fc.double({ noNaN: true }) }), fc.jsonValue()),
    unknown: fc.jsonValue(),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const validConfig = fc.record(
  {
    epochs: fc.integer({ min: 1 }),
    shuffle: fc.boolean(),
    metrics: fc.uniqueArray(fc.string()),
    schedule: fc.oneof(
      fc.record({ name: fc.constant('constant'), warmup: fc.integer() }, { requiredKeys: ['name'] }),
      fc.record(
        { name: fc.constant('cosine'), steps: fc.integer(), floor: fc.integer() },
        { requiredKeys: ['name', 'steps'] },
      ),
    ),
    optimizer: fc.record(
      { learning_rate: fc.double({ min: 1e-9, max: 1, noNaN: true }) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

describe('for any configuration', () => {
  test('every refusal has a finding, and no value has two', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        const valid = train.validate(config);
        const findings = valid ? [] : selectFindings(train.schema, train.validate.errors ?? []);
        expect(findings.length > 0).toBe(!valid);
        const causes = findings.map((finding) =>
          JSON.stringify([finding.path, finding.kind === 'unknown-field' && finding.field]),
        );
        expect(new Set(causes).size).toBe(causes.length);
      }),
    );
  });

  test('filling defaults keeps what is given, keeps it valid, and doing it again changes nothing', () => {
    fc.assert(
      fc.property(validConfig, (config) => {
        // Through JSON, so that absent fields are absent, not undefined.
        const given: JsonObject = JSON.parse(JSON.stringify(config));
        const filled = fillDefaults(train.schema, given);
        expect(filled).toMatchObject(given);
        expect(train.validate(filled)).toBe(true);
        expect(fillDefaults(train.schema, filled)).toEqual(filled);
      }),
    );
  });
});
