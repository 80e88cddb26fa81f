import { didYouMean } from '../../core/index.ts';
import type {
  PipelineInput,
  PipelineStage,
  ValidPipeline,
  WrittenBinding,
} from '../config/valid-pipeline.ts';
import { type Diagnostic, listOf, quoted, type Span } from '../diagnostic/diagnostic.ts';

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

/** What a reference means, through the inputs and outputs of the sub-pipelines in between. */
export type FollowedReference =
  | {
      readonly kind: 'stage';
      /** Its full id. */
      readonly stage: string;
      /** The names after it: an output, a part, both or neither. */
      readonly names: readonly string[];
      readonly crossed: readonly CrossedInput[];
    }
  /** An optional input that is not bound. */
  | { readonly kind: 'unbound' }
  | { readonly kind: 'mistake'; readonly diagnostic: Diagnostic }
  /** A mistake that is reported elsewhere. */
  | { readonly kind: 'reported' };

export interface CrossedInput {
  readonly input: PipelineInput;
  /** Its binding in the pipeline outside. */
  readonly binding: WrittenBinding;
  /** The full id of the stage whose input it is. */
  readonly stage: string;
  /** The stage that is bound to it, and the names after it. */
  readonly target: { readonly stage: string; readonly names: readonly string[] };
}

interface ScopedReference {
  readonly scope: Scope;
  readonly reference: string;
  readonly span: Span;
  /** The id of the stage that has the reference, which is not suggested to itself. */
  readonly user?: string;
  /** How many inputs and outputs were followed: sub-pipelines may pass on each other's outputs in a circle. */
  readonly crossings?: number;
}

const mostCrossings = 200;

export function followReference(request: ScopedReference): FollowedReference {
  const { scope, reference, span, crossings = 0 } = request;
  const parsed = parseReference(reference, span);
  if (parsed === undefined) return mistake(badReference(reference, span));
  if (crossings > mostCrossings) return mistake(endless(reference, span));
  if (parsed.stage === 'inputs' && scope.pipeline.inputs.size > 0) return followInput(request, parsed);
  const stage = scope.pipeline.stages.get(parsed.stage);
  if (stage === undefined) return mistake(unknownReference(parsed, request));
  const inner = scopeOf(scope, stage);
  if (inner !== undefined) return followOutput(request, { parsed, inner });
  return { kind: 'stage', stage: fullId([...scope.path, stage.id]), names: parsed.names, crossed: [] };
}

/** `inputs.model` in a sub-pipeline: what the stage outside binds to it. */
function followInput({ scope, crossings = 0 }: ScopedReference, parsed: Reference): FollowedReference {
  const [name = '', ...names] = parsed.names;
  const input = scope.pipeline.inputs.get(name);
  if (input === undefined) return mistake(unknownInput(parsed, scope));
  const binding = bindingOf(scope, name);
  // A missing required input is reported once, where the pipeline is used.
  if (scope.use === undefined || binding === undefined)
    return { kind: input.required ? 'reported' : 'unbound' };
  const { reference, span } = binding;
  const outside = followReference({
    scope: scope.use.scope,
    reference,
    span,
    crossings: crossings + 1,
  });
  if (outside.kind === 'mistake') return { kind: 'reported' };
  if (outside.kind !== 'stage') return outside;
  const target = { stage: outside.stage, names: outside.names };
  const crossed = { input, binding, stage: fullId(scope.path), target };
  return { ...outside, names: [...outside.names, ...names], crossed: [...outside.crossed, crossed] };
}

/** `mmlu.scores`: the sub-pipeline's output of that name. A bare `mmlu` means its only output. */
function followOutput(
  { crossings = 0 }: ScopedReference,
  { parsed, inner }: { readonly parsed: Reference; readonly inner: Scope },
): FollowedReference {
  const { outputs } = inner.pipeline;
  const [first] = parsed.names;
  const named = first === undefined ? undefined : outputs.get(first);
  const only = outputs.size === 1 ? [...outputs.values()][0] : undefined;
  const output = named ?? only;
  if (output === undefined) return mistake(unknownOutput(parsed, inner));
  const rest = named === undefined ? parsed.names : parsed.names.slice(1);
  const { reference, span } = output;
  const inside = followReference({ scope: inner, reference, span, crossings: crossings + 1 });
  if (inside.kind === 'mistake') return { kind: 'reported' };
  return inside.kind === 'stage' ? { ...inside, names: [...inside.names, ...rest] } : inside;
}

const mistake = (diagnostic: Diagnostic): FollowedReference => ({ kind: 'mistake', diagnostic });

const endless = (reference: string, span: Span): Diagnostic => ({
  code: 'cycle',
  message: `${quoted(reference)} leads back to itself through inputs and outputs of pipelines`,
  span,
});

const badReference = (reference: string, span: Span): Diagnostic => ({
  code: 'bad-reference',
  message: `${quoted(reference)} is not a reference`,
  span,
  help: 'a reference is `stage`, `stage.output`, `stage.part` or `stage.output.part`',
});

/** A reference to a stage that the pipeline does not have, or that an overlay removed. */
function unknownReference({ stage: name, span }: Reference, { scope, user }: ScopedReference): Diagnostic {
  const { stages, removedStages, inputs } = scope.pipeline;
  const others = [...stages.keys()].filter((other) => other !== user);
  const known = others.length > 12 ? [...others.slice(0, 12), '...'] : others;
  const removed = removedStages.get(name);
  const input = inputs.has(name) ? `did you mean \`inputs.${name}\`?` : undefined;
  return {
    code: 'unknown-reference',
    message: `the pipeline has no stage ${quoted(name)}`,
    span,
    help:
      input ??
      didYouMean(name, others) ??
      (known.length === 0 ? 'it has no other stage' : `its stages are ${listOf(known, 'and')}`),
    ...(removed !== undefined && { related: { kind: 'removal' as const, span: removed } }),
  };
}

function unknownInput({ names, span }: Reference, { pipeline }: Scope): Diagnostic {
  const known = [...pipeline.inputs.keys()];
  const [name] = names;
  return {
    code: 'unknown-input',
    message:
      name === undefined ? '`inputs` names no single content' : `the pipeline has no input ${quoted(name)}`,
    span,
    help:
      (name && didYouMean(name, known)) ??
      `its inputs are ${listOf(
        known.map((input) => `inputs.${input}`),
        'and',
      )}`,
  };
}

/** A sub-pipeline does not have the named output, or has several and none is named. */
function unknownOutput({ stage, names, span }: Reference, { pipeline }: Scope): Diagnostic {
  const known = [...pipeline.outputs.keys()].map((name) => `${stage}.${name}`);
  const [name] = names;
  const none = known.length === 0;
  return {
    code: 'unknown-output',
    message: none
      ? `stage ${quoted(stage)} is a pipeline that declares no outputs`
      : name === undefined
        ? `stage ${quoted(stage)} is a pipeline with several outputs, so one must be named`
        : `stage ${quoted(stage)} has no output ${quoted(name)}`,
    span,
    help: none
      ? `declare them in ${pipeline.file.displayPath}, as \`outputs: { scores: evaluate.scores }\``
      : ((name && didYouMean(`${stage}.${name}`, known)) ?? `it has ${listOf(known, 'and')}`),
  };
}
