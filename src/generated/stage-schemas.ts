// Generated from schemas/stages/.

import type { ConfigSchema, SchemaValidator } from '../runtime/stage/stage-definition.ts';


/** Stage name -> the schema of its `with` and the compiled validator. */
export const stageSchemas = {

} satisfies Record<string, { readonly schema: ConfigSchema; readonly validate: SchemaValidator }>;

export type StageName = keyof typeof stageSchemas;
