import { didYouMean } from '../../core/index.ts';
import type { PipelineInput, WrittenBinding } from '../config/valid-pipeline.ts';
import { type Diagnostic, listOf, quoted, type Span } from '../diagnostic/diagnostic.ts';
import { bindingOf, fullId, parseReference, type Reference, type Scope, scopeOf } from './reference.ts';

/** What a reference in a pipeline file means, through the inputs and outputs of the pipelines that lie between. */
export type FollowedReference =
  | {
      readonly kind: 'stage';
      /** Its full id. */
      readonly stage: string;
      /** What of the stage is meant: an output, a part, both or neither. */
      readonly names: readonly string[];
      readonly crossed: readonly CrossedInput[];
    }
  /** An input that need not be bound, and is not. */
  | { readonly kind: 'unbound' }
  | { readonly kind: 'mistake'; readonly diagnostic: Diagnostic }
  /** A mistake that is reported where it stands. */
  | { readonly kind: 'told' };

export interface CrossedInput {
  readonly input: PipelineInput;
  /** What it is bound to, in the pipeline outside. */
  readonly binding: WrittenBinding;
  /** The full id of the stage that it is an input of. */
  readonly stage: string;
  /** The stage that is bound to it, and what is named of that. */
  readonly target: { readonly stage: string; readonly names: readonly string[] };
}

interface Question {
  readonly scope: Scope;
  readonly reference: string;
  readonly span: Span;
  /** The stage that asks, which is not suggested to itself. */
  readonly asking?: string;
  /** How many borders were crossed: a circle of sub-pipelines that hand on only each other's outputs has no end. */
  readonly crossings?: number;
}

const mostCrossings = 200;

export function followReference(question: Question): FollowedReference {
  const { scope, reference, span, crossings = 0 } = question;
  const parsed = parseReference(reference, span);
  if (parsed === undefined) return mistake(badReference(reference, span));
  if (crossings > mostCrossings) return mistake(endless(reference, span));
  if (parsed.stage === 'inputs' && scope.pipeline.inputs.size > 0) return followInput(question, parsed);
  const stage = scope.pipeline.stages.get(parsed.stage);
  if (stage === undefined) return mistake(unknownReference(parsed, question));
  const inner = scopeOf(scope, stage);
  if (inner !== undefined) return followOutput(question, { parsed, inner });
  return { kind: 'stage', stage: fullId([...scope.path, stage.id]), names: parsed.names, crossed: [] };
}

/** `inputs.model` within a sub-pipeline: what the stage outside binds to it. */
function followInput({ scope, crossings = 0 }: Question, parsed: Reference): FollowedReference {
  const [name = '', ...names] = parsed.names;
  const input = scope.pipeline.inputs.get(name);
  if (input === undefined) return mistake(unknownInput(parsed, scope));
  const binding = bindingOf(scope, name);
  // That a needed one is not bound is told once, where the pipeline is used.
  if (scope.use === undefined || binding === undefined) return { kind: input.required ? 'told' : 'unbound' };
  const { reference, span } = binding;
  const outside = followReference({
    scope: scope.use.scope,
    reference,
    span,
    crossings: crossings + 1,
  });
  if (outside.kind === 'mistake') return { kind: 'told' };
  if (outside.kind !== 'stage') return outside;
  const target = { stage: outside.stage, names: outside.names };
  const crossed = { input, binding, stage: fullId(scope.path), target };
  return { ...outside, names: [...outside.names, ...names], crossed: [...outside.crossed, crossed] };
}

/** `mmlu.scores`: what the sub-pipeline declares under that name. A bare `mmlu` means its only output. */
function followOutput(
  { crossings = 0 }: Question,
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
  if (inside.kind === 'mistake') return { kind: 'told' };
  return inside.kind === 'stage' ? { ...inside, names: [...inside.names, ...rest] } : inside;
}

const mistake = (diagnostic: Diagnostic): FollowedReference => ({ kind: 'mistake', diagnostic });

const endless = (reference: string, span: Span): Diagnostic => ({
  code: 'cycle',
  message: `${quoted(reference)} leads through inputs and outputs of pipelines back to itself`,
  span,
});

const badReference = (reference: string, span: Span): Diagnostic => ({
  code: 'bad-reference',
  message: `${quoted(reference)} is not a reference`,
  span,
  help: 'a reference is `stage`, `stage.output`, `stage.part` or `stage.output.part`',
});

/** A reference to a stage that the pipeline does not have, or no longer has. */
function unknownReference(
  { stage: name, span }: Reference,
  { scope, asking }: { readonly scope: Scope; readonly asking?: string },
): Diagnostic {
  const { stages, removedStages, inputs } = scope.pipeline;
  const others = [...stages.keys()].filter((other) => other !== asking);
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
      name === undefined
        ? '`inputs` stands for no single content'
        : `the pipeline has no input ${quoted(name)}`,
    span,
    help:
      (name && didYouMean(name, known)) ??
      `its inputs are ${listOf(
        known.map((input) => `inputs.${input}`),
        'and',
      )}`,
  };
}

/** A sub-pipeline has no such output, or several of which none is named. */
function unknownOutput({ stage, names, span }: Reference, { pipeline }: Scope): Diagnostic {
  const known = [...pipeline.outputs.keys()].map((name) => `${stage}.${name}`);
  const [name] = names;
  const none = known.length === 0;
  return {
    code: 'unknown-output',
    message: none
      ? `stage ${quoted(stage)} is a pipeline that declares no outputs`
      : name === undefined
        ? `stage ${quoted(stage)} is a pipeline with several outputs, so that one has to be named`
        : `stage ${quoted(stage)} has no output ${quoted(name)}`,
    span,
    help: none
      ? `declare them in ${pipeline.file.displayPath}, as \`outputs: { scores: evaluate.scores }\``
      : ((name && didYouMean(`${stage}.${name}`, known)) ?? `it has ${listOf(known, 'and')}`),
  };
}
