import type { StageDefinition, StageRegistry } from '../runtime/stage/stage-definition.ts';
import { generateStage } from './generate/generate-stage.ts';
import { trainStage } from './train/train-stage.ts';

const builtIn: readonly StageDefinition[] = [trainStage, generateStage];

/** The stages that come with retune, in the order in which an experiment uses them. */
export const stageRegistry: StageRegistry = new Map(builtIn.map((stage) => [stage.name, stage]));
