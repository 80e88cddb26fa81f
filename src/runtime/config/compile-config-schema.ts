import type { JsonObject } from '../../json.ts';
import { err, ok, type Result } from '../result.ts';
import type { ConfigSchema, SchemaValidator, StageDefinition } from '../stage/stage-definition.ts';

const options = { allErrors: true, allowUnionTypes: true, strictTypes: false, strictTuples: false };

/** Compiles the schema of a user's stage; closed unless it says otherwise. The error is one sentence. */
export async function compileConfigSchema(
  written: JsonObject,
): Promise<Result<Pick<StageDefinition, 'schema' | 'validate'>, string>> {
  const schema: ConfigSchema = { type: 'object', additionalProperties: false, ...written };
  if (schema.type !== 'object') return err('the schema has to be that of a map: its `type` is `object`');
  if (JSON.stringify(schema).includes('"$ref"'))
    return err('`$ref` is not supported: write what it stands for in its place');
  // A CommonJS package: where it is bundled, it has its default export alone.
  const { Ajv } = (await import('ajv')).default;
  const ajv = new Ajv({ ...options, ownProperties: true });
  ajv.addKeyword({ keyword: 'x-key', metaSchema: { enum: ['source', 'none', 'unless-default'] } });
  try {
    // ajv's function has the shape that its own standalone code has, which the runtime is written for.
    return ok({ schema, validate: ajv.compile(schema) as SchemaValidator });
  } catch (error) {
    return err(`the schema is not one: ${error instanceof Error ? error.message : String(error)}`);
  }
}
