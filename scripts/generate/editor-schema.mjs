import { join } from 'node:path';
import { mapSchema } from './map-schema.mjs';

const parameter = { $ref: '#/definitions/parameter' };

/** The schema for editors: the pipeline's own fields, and `with` by the stage's `uses` or, without it, by its id. */
export function editorSchema(root, { pipeline, stages }) {
  // An overlay has the stages of the file it extends.
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
      ...Object.fromEntries(stages.map(({ name, schema }) => [`with-${name}`, forEditors(schema)])),
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

/** A parameter can replace any value, so every field that is not text also takes one. */
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
