import { Ajv } from 'ajv';
import type { JsonObject } from '../../../src/core/json.ts';
import type { StageDefinition, StageRegistry } from '../../../src/runtime/stage/stage-definition.ts';

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
ajv.addKeyword('x-key');

type Example = Pick<StageDefinition, 'name' | 'ports' | 'check'> & { readonly schema: JsonObject };

/** A definition that can be checked and planned, and has no code to run. */
function exampleStage({ name, schema, ports, check }: Example): StageDefinition {
  return {
    name,
    version: 1,
    schema,
    validate: ajv.compile({ type: 'object', additionalProperties: false, ...schema }),
    ports,
    ...(check && { check }),
    process: 'inline',
    device: 'none',
    load: () => Promise.reject(new Error(`${name} is never run`)),
  };
}

const load = exampleStage({
  name: 'load',
  schema: {
    oneOf: [{ required: ['records'] }, { required: ['model'] }],
    properties: {
      records: { type: 'string', 'x-key': 'source' },
      model: {
        oneOf: [
          { type: 'string', 'x-key': 'source' },
          {
            type: 'object',
            additionalProperties: false,
            required: ['init'],
            properties: { init: { type: 'string' }, width: { type: 'integer', default: 64 } },
          },
        ],
      },
    },
  },
  ports: ({ records }) =>
    records === undefined
      ? { inputs: {}, outputs: { model: { type: 'model' }, tokenizer: { type: 'tokenizer' } } }
      : { inputs: {}, outputs: { records: { type: 'records' } } },
});

const format = exampleStage({
  name: 'format',
  schema: {
    required: ['template'],
    properties: {
      template: {
        oneOf: [
          { enum: ['alpaca', 'phi3'] },
          {
            type: 'object',
            additionalProperties: false,
            required: ['prompt'],
            properties: { prompt: { type: 'string' }, header: { type: 'string', default: '' } },
          },
        ],
        examples: ['alpaca'],
      },
    },
  },
  ports: () => ({
    inputs: { records: { accepts: ['records', 'responses'], required: true, parts: 'each' } },
    outputs: { records: { type: 'records' } },
  }),
  check: ({ template }) => {
    const prompt =
      typeof template === 'object' && template !== null && 'prompt' in template ? template.prompt : '';
    return String(prompt).split('{{').length === String(prompt).split('}}').length
      ? []
      : [
          {
            pointer: '/template/prompt',
            code: 'bad-template',
            message: 'the template has a `{{` that is not closed',
            help: 'end it with `}}`',
          },
        ];
  },
});

const share = { anyOf: [{ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }, { const: 'rest' }] };

const split = exampleStage({
  name: 'split',
  schema: {
    required: ['parts'],
    properties: {
      by: { enum: ['order', 'hash'], default: 'order' },
      seed: { type: 'integer', default: 0 },
      parts: {
        type: 'array',
        minItems: 1,
        items: { type: 'object', minProperties: 1, maxProperties: 1, additionalProperties: share },
        examples: [[{ train: 0.9 }, { test: 'rest' }]],
      },
    },
  },
  ports: ({ parts }) => ({
    inputs: { records: { accepts: ['records'], required: true, parts: 'one' } },
    outputs: {
      records: {
        type: 'records',
        parts: Array.isArray(parts) ? parts.flatMap((part) => Object.keys(part)) : [],
      },
    },
  }),
});

const tokenize = exampleStage({
  name: 'tokenize',
  schema: { properties: {} },
  ports: () => ({
    inputs: {
      records: { accepts: ['records'], required: true, parts: 'each' },
      tokenizer: { accepts: ['tokenizer'], required: false, parts: 'one' },
    },
    outputs: { tokens: { type: 'tokens' } },
  }),
});

const train = exampleStage({
  name: 'train',
  schema: {
    properties: {
      epochs: { type: 'integer', minimum: 1, default: 2, examples: [2] },
      shuffle: { type: 'boolean', default: true },
      metrics: { type: 'array', uniqueItems: true, items: { type: 'string' } },
      schedule: {
        default: { name: 'constant' },
        oneOf: [
          {
            type: 'object',
            additionalProperties: false,
            required: ['name'],
            properties: { name: { const: 'constant' }, warmup: { type: 'integer', default: 0 } },
          },
          {
            type: 'object',
            additionalProperties: false,
            required: ['name', 'steps'],
            properties: {
              name: { const: 'cosine' },
              steps: { type: 'integer' },
              floor: { type: 'number', default: 0 },
            },
          },
        ],
      },
      optimizer: {
        type: 'object',
        additionalProperties: false,
        default: {},
        properties: { learning_rate: { type: 'number', exclusiveMinimum: 0, default: 0.001 } },
      },
    },
  },
  ports: () => ({
    inputs: {
      model: { accepts: ['model'], required: true, parts: 'one' },
      train: { accepts: ['tokens'], required: true, parts: 'one' },
      validation: { accepts: ['tokens'], required: false, parts: 'one', named: true },
    },
    outputs: { model: { type: 'model' }, history: { type: 'history' } },
  }),
});

const pair = exampleStage({
  name: 'pair',
  schema: { properties: {} },
  ports: () => ({
    inputs: {
      left: { accepts: ['records'], required: true, parts: 'each', help: 'or use `format` alone' },
      right: { accepts: ['file'], required: true, parts: 'each' },
    },
    outputs: { train: { type: 'records' } },
  }),
});

/** Small stages with every feature that a pipeline can use wrongly. */
export const exampleStages: StageRegistry = new Map(
  [load, format, split, tokenize, train, pair].map((stage) => [stage.name, stage]),
);
