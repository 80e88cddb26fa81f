import type {
  PipelineInput,
  PipelineStage,
  ValidPipeline,
  WrittenBinding,
} from '../config/valid-pipeline.ts';
import type { Span } from '../diagnostic/diagnostic.ts';

/** `stage[.output][.part]` as written. What the names after the stage mean depends on its outputs. */
export interface Reference {
  readonly text: string;
  readonly stage: string;
  readonly names: readonly string[];
  readonly span: Span;
}

/** Undefined where the text does not have that form. */
export function parseReference(text: string, span: Span): Reference | undefined {
  const [stage, ...names] = text.split('.');
  const wellFormed =
    stage !== undefined && names.length <= 2 && [stage, ...names].every((name) => /^[\w-]+$/.test(name));
  return wellFormed ? { text, stage, names, span } : undefined;
}

/** A pipeline at one place where it is used, on which the meaning of its references depends. */
export interface Scope {
  readonly pipeline: ValidPipeline;
  /** The ids of the stages that lead here, outermost first; empty for the root. */
  readonly path: readonly string[];
  /** The stage that uses it and that stage's scope; undefined for the root. */
  readonly use: { readonly stage: PipelineStage; readonly scope: Scope } | undefined;
}

export const rootScope = (pipeline: ValidPipeline): Scope => ({ pipeline, path: [], use: undefined });

/** How users name a stage within sub-pipelines: `mmlu/format`. */
export const fullId = (path: readonly string[]): string => path.join('/');

/** The scope within a stage that is a pipeline. */
export const scopeOf = (scope: Scope, stage: PipelineStage): Scope | undefined =>
  stage.pipeline && {
    pipeline: stage.pipeline,
    path: [...scope.path, stage.id],
    use: { stage, scope },
  };

/** The input that a binding is for: a bare reference binds the only one. */
export function portOf(
  { port }: WrittenBinding,
  inputs: ReadonlyMap<string, PipelineInput>,
): string | undefined {
  if (port !== undefined) return port;
  return inputs.size === 1 ? [...inputs.keys()][0] : undefined;
}

/** The binding of a sub-pipeline's input where the sub-pipeline is used. */
export const bindingOf = ({ use, pipeline }: Scope, input: string): WrittenBinding | undefined =>
  use?.stage.from.find((binding) => portOf(binding, pipeline.inputs) === input);
