import type { StageDefinition, StageRegistry } from '../runtime/stage/stage-definition.ts';

const builtIn: readonly StageDefinition[] = [];

/** The stages that come with retune, in the order in which an experiment uses them. */
export const stageRegistry: StageRegistry = new Map(builtIn.map((stage) => [stage.name, stage]));
