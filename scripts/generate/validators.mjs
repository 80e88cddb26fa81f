import { join } from 'node:path';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';
import { mapSchema } from './map-schema.mjs';

const declaration = `import type { ConfigSchema, SchemaValidator } from '../../runtime/stage/stage-definition.ts';

export declare const schema: ConfigSchema;
export declare const validate: SchemaValidator;
`;

/** A module for each schema: the schema and ajv's compiled code, so that a run starts without ajv. */
export async function validators(root, { pipeline, ownStage, settings, stages, broken }) {
  const files = [];
  for (const { name, schema, file } of [
    { name: 'pipeline', schema: pipeline, file: 'schemas/pipeline.base.schema.json' },
    { name: 'own-stage', schema: ownStage, file: 'schemas/own-stage.schema.json' },
    { name: 'settings', schema: settings, file: 'schemas/settings.schema.json' },
    ...stages.map((stage) => ({ ...stage, file: `schemas/stages/${stage.name}.schema.json` })),
  ]) {
    try {
      checkKeyMarks(schema);
      const path = join(root, `src/generated/validators/${name}`);
      files.push({ path: `${path}.js`, text: await moduleOf(root, schema) });
      files.push({ path: `${path}.d.ts`, text: declaration });
    } catch (error) {
      broken.push({ file, message: error.message });
    }
  }
  return files;
}

const keyMarks = ['source', 'none', 'unless-default'];

/** Ajv's own error names neither the value nor the choices. */
function checkKeyMarks(schema) {
  mapSchema(schema, (node) => {
    if (!('x-key' in node) || keyMarks.includes(node['x-key'])) return node;
    const choices = keyMarks.map((mark) => `"${mark}"`).join(', ');
    throw new Error(`"x-key" is ${JSON.stringify(node['x-key'])}; it can be ${choices}`);
  });
}

async function moduleOf(root, schema) {
  const ajv = new Ajv({
    allErrors: true,
    allowUnionTypes: true,
    strictTuples: false,
    messages: false,
    code: { source: true, esm: true },
  });
  ajv.addKeyword({ keyword: 'x-key', metaSchema: { enum: keyMarks } });
  ajv.addKeyword({ keyword: 'x-secret', metaSchema: { const: true } });
  const code = standalone.default(ajv, { validate: schemaWithId(ajv, schema) });
  const bundled = await build({
    stdin: { contents: `${code}\nexport const schema = ${JSON.stringify(schema)};`, resolveDir: root },
    bundle: true,
    format: 'esm',
    write: false,
    minify: true,
    logLevel: 'silent',
  });
  return bundled.outputFiles[0].text;
}

function schemaWithId(ajv, schema) {
  ajv.addSchema({ ...schema, $id: 'validate' });
  return 'validate';
}
