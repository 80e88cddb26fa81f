import type { StageDefinition, StageRegistry } from '../runtime/index.ts';
import { collateStage } from './collate/collate-stage.ts';
import { concatStage } from './concat/concat-stage.ts';
import { evaluateStage } from './evaluate/evaluate-stage.ts';
import { executeStage } from './execute/execute-stage.ts';
import { filterStage } from './filter/filter-stage.ts';
import { formatStage } from './format/format-stage.ts';
import { generateStage } from './generate/generate-stage.ts';
import { loadStage } from './load/load-stage.ts';
import { pairStage } from './pair/pair-stage.ts';
import { preferStage } from './prefer/prefer-stage.ts';
import { referenceStage } from './reference/reference-stage.ts';
import { shellStage } from './shell/shell-stage.ts';
import { splitStage } from './split/split-stage.ts';
import { tokenizeStage } from './tokenize/tokenize-stage.ts';
import { trainStage } from './train/train-stage.ts';

const builtIn: readonly StageDefinition[] = [
  loadStage,
  concatStage,
  filterStage,
  formatStage,
  splitStage,
  tokenizeStage,
  collateStage,
  referenceStage,
  trainStage,
  generateStage,
  executeStage,
  pairStage,
  preferStage,
  evaluateStage,
  shellStage,
];

/** The stages that come with tuneloom, in the order in which an experiment uses them. */
export const stageRegistry: StageRegistry = new Map(builtIn.map((stage) => [stage.name, stage]));
