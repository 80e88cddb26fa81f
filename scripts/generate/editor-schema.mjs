import { join } from 'node:path';
import { mapSchema } from './map-schema.mjs';

const parameter = { $ref: '#/definitions/parameter' };

/** The schema for editors: the pipeline's own fields, and `with` by what the stage uses or, without `uses`, by its id. */
export function editorSchema(root, { pipeline, stages }, { metrics }) {
  // An overlay gets its stages from the file that it extends.
  const { $id, required, ...rest } = pipeline;
  const base = { ...rest, anyOf: [{ required }, { required: ['extends'] }] };
  const stage = base.properties.stages.additionalProperties;
  const schema = {
    ...base,
    properties: {
      ...base.properties,
      stages: {
        ...base.properties.stages,
        properties: Object.fromEntries(
          stages.map(({ name }) => [name, { $ref: `#/definitions/stage-named-${name}` }]),
        ),
        additionalProperties: { $ref: '#/definitions/stage' },
      },
    },
    definitions: {
      parameter: {
        description: 'A value from `params`.',
        type: 'string',
        pattern: '\\$\\{params\\.',
      },
      stage: stageOf(stage, stages),
      ...Object.fromEntries(stages.map(({ name }) => [`stage-named-${name}`, namedAfter(name)])),
      ...Object.fromEntries(
        stages.map((stage) => [`with-${stage.name}`, forEditors(described(stage, metrics))]),
      ),
    },
  };
  return { path: join(root, 'schemas/pipeline.schema.json'), text: `${JSON.stringify(schema, null, 2)}\n` };
}

function stageOf(stage, stages) {
  const names = stages.map(({ name, schema }) => ({ const: name, description: schema.description }));
  return {
    ...stage,
    properties: {
      ...mapProperties(stage.properties, orParameter),
      uses: {
        ...stage.properties.uses,
        anyOf: [...names, { type: 'string', pattern: '^\\.{0,2}/|\\.ya?ml$' }],
      },
      with: { ...stage.properties.with, anyOf: [{ type: ['object', 'null'] }, parameter], type: undefined },
    },
    allOf: stages.map(({ name }) => ({
      if: { properties: { uses: { const: name } }, required: ['uses'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
      then: { properties: { with: orParameter({ $ref: `#/definitions/with-${name}` }) } },
    })),
  };
}

const namedAfter = (name) => ({
  allOf: [{ $ref: '#/definitions/stage' }],
  if: { not: { required: ['uses'] } },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  then: { properties: { with: orParameter({ $ref: `#/definitions/with-${name}` }) } },
});

/** Adds what each metric measures, which editors show with its name. */
function described({ name, schema }, metrics) {
  if (name !== 'evaluate') return schema;
  const { items, ...list } = schema.properties.metrics;
  const measures = new Map(metrics.map((metric) => [metric.name, metric.measures]));
  const enumDescriptions = items.enum.map((metric) => measures.get(metric));
  const properties = { ...schema.properties, metrics: { ...list, items: { ...items, enumDescriptions } } };
  return { ...schema, properties };
}

/** A parameter is allowed wherever a value is, so every field whose type is not text also accepts one. */
function forEditors(schema) {
  return mapSchema(schema, ({ $schema, 'x-key': _, ...node }) => ({
    ...node,
    ...(node.properties && { properties: mapProperties(node.properties, orParameter) }),
    ...(node.items && { items: orParameter(node.items) }),
    ...(node.additionalProperties && { additionalProperties: orParameter(node.additionalProperties) }),
  }));
}

function orParameter(schema) {
  if (schema.type === 'string' && !schema.enum && !schema.pattern) return schema;
  const { description, default: byDefault, examples, ...rest } = schema;
  return {
    ...(description !== undefined && { description }),
    ...(byDefault !== undefined && { default: byDefault }),
    ...(examples !== undefined && { examples }),
    anyOf: [rest, parameter],
  };
}

const mapProperties = (properties, change) =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, change(schema)]));
