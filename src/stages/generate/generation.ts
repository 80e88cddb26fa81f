import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { Json } from '../../json.ts';
import type { StageHost } from '../../runtime/stage/stage-definition.ts';
import type { ResponseRecord } from '../ports/response-record.ts';
import type { Question } from './question.ts';

/** What is to be generated, wherever the model is. */
export interface Generation {
  readonly config: GenerateConfig;
  readonly questions: readonly Question[];
  /** A private folder for what an interrupted run should find again. */
  readonly statePath: string;
  /** Where results are remembered across keys; undefined where nothing is to be taken from there. */
  readonly memoPath: string | undefined;
  readonly host: StageHost;
}

/** The responses in the order of the questions, and measurements of the run. */
export interface Generated {
  readonly responses: readonly ResponseRecord[];
  readonly measurements: Readonly<Record<string, Json>>;
}
