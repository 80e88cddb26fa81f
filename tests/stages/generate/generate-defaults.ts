import type { JsonObject } from '../../../src/core/json.ts';
import type { GenerateConfig } from '../../../src/generated/generate-config.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { generateStage } from '../../../src/stages/generate/generate-stage.ts';

/** A configuration of generate with its schema's defaults filled in. */
export const generateDefaults = (config: JsonObject): GenerateConfig =>
  // Completed by the schema that the type was generated from.
  fillDefaults(generateStage.schema, config) as unknown as GenerateConfig;
