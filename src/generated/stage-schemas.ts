// Generated from schemas/stages/.

import type { ConfigSchema, SchemaValidator } from '../runtime/index.ts';
import * as collate from './validators/collate.js';
import * as concat from './validators/concat.js';
import * as evaluate from './validators/evaluate.js';
import * as execute from './validators/execute.js';
import * as filter from './validators/filter.js';
import * as format from './validators/format.js';
import * as generate from './validators/generate.js';
import * as load from './validators/load.js';
import * as pair from './validators/pair.js';
import * as prefer from './validators/prefer.js';
import * as reference from './validators/reference.js';
import * as shell from './validators/shell.js';
import * as split from './validators/split.js';
import * as tokenize from './validators/tokenize.js';
import * as train from './validators/train.js';

/** Stage name -> the schema of its `with` and the compiled validator. */
export const stageSchemas = {
  collate,
  concat,
  evaluate,
  execute,
  filter,
  format,
  generate,
  load,
  pair,
  prefer,
  reference,
  shell,
  split,
  tokenize,
  train,
} satisfies Record<string, { readonly schema: ConfigSchema; readonly validate: SchemaValidator }>;

export type StageName = keyof typeof stageSchemas;
