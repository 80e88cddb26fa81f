import { dirname } from 'node:path';
import { didYouMean } from '../../core/index.ts';
import type {
  PipelineInput,
  PipelineStage,
  ValidPipeline,
  WrittenBinding,
} from '../config/valid-pipeline.ts';
import { type Checked, type Diagnostic, listOf, quoted } from '../diagnostic/diagnostic.ts';
import type { Dependencies } from './order-stages.ts';
import {
  bindingOf,
  type CrossedInput,
  type FollowedReference,
  followReference,
  fullId,
  portOf,
  type Reference,
  rootScope,
  type Scope,
  scopeOf,
} from './reference.ts';

/** A stage with its full id (`mmlu/format`), its references followed through sub-pipelines. */
export interface LinkedStage extends Omit<PipelineStage, 'from' | 'pipeline'> {
  readonly from: readonly LinkedBinding[];
  /** The ids that make up its full id. */
  readonly path: readonly string[];
  /** The base of relative paths that are in no file, such as defaults. */
  readonly folder: string;
}

export interface LinkedBinding extends WrittenBinding {
  /** Undefined where a mistake has been reported. */
  readonly target: Reference | undefined;
  /** The inputs of sub-pipelines it goes through, each of which has a type. */
  readonly crossed: readonly CrossedInput[];
}

export interface Border {
  readonly into: CrossedInput;
  /** The inputs it goes through before. */
  readonly crossed: readonly CrossedInput[];
}

/** Lists the stages of a pipeline and of its sub-pipelines, and follows every reference. */
export function linkStages(pipeline: ValidPipeline): Checked<Omit<Linked, 'diagnostics'>> {
  const linked: Linked = { stages: new Map(), subOutputs: new Map(), borders: [], diagnostics: [] };
  linkScope(rootScope(pipeline), linked);
  return { value: linked, diagnostics: linked.diagnostics };
}

/** The stages that each stage needs. */
export const dependenciesOf = (stages: ReadonlyMap<string, LinkedStage>): Dependencies =>
  new Map(
    [...stages].map(([id, { from }]) => [
      id,
      from.flatMap(({ target }) => (target === undefined ? [] : [target.stage])),
    ]),
  );

interface Linked {
  /** All stages of a pipeline and of its sub-pipelines, flat. */
  readonly stages: Map<string, LinkedStage>;
  readonly subOutputs: Map<string, { readonly stage: string; readonly names: readonly string[] }>;
  /** Every binding of a sub-pipeline's input, whether anything reads it or not. */
  readonly borders: Border[];
  readonly diagnostics: Diagnostic[];
}

function linkScope(scope: Scope, linked: Linked): void {
  const { pipeline } = scope;
  linked.diagnostics.push(...reservedId(scope), ...unknownInputs(scope), ...missingInputs(scope));
  for (const [name, { reference, span }] of pipeline.outputs) {
    const followed = followReference({ scope, reference, span });
    report(followed, linked);
    if (followed.kind === 'stage') linked.subOutputs.set(`${fullId(scope.path)}.${name}`, followed);
  }
  for (const stage of pipeline.stages.values()) {
    const inner = scopeOf(scope, stage);
    if (inner !== undefined) linkScope(inner, linked);
    // Bindings that nothing reads are followed too, so that their mistakes are reported.
    const from = stage.from.flatMap((binding) => link({ binding, scope, stage }, linked));
    if (inner !== undefined) {
      linked.borders.push(...from.flatMap((binding) => borderOf(binding, inner)));
      continue;
    }
    const { pipeline: _, ...own } = stage;
    const path = [...scope.path, stage.id];
    const id = fullId(path);
    linked.stages.set(id, { ...own, id, path, from, folder: dirname(pipeline.file.path) });
  }
}

function borderOf(binding: LinkedBinding, { pipeline, path }: Scope): readonly Border[] {
  const { target, crossed } = binding;
  const input = pipeline.inputs.get(portOf(binding, pipeline.inputs) ?? '');
  if (input === undefined || target === undefined) return [];
  return [{ into: { input, binding, stage: fullId(path), target }, crossed }];
}

function link(
  {
    binding,
    scope,
    stage,
  }: { readonly binding: WrittenBinding; readonly scope: Scope; readonly stage: PipelineStage },
  linked: Linked,
): readonly LinkedBinding[] {
  const { reference, span } = binding;
  const followed = followReference({ scope, reference, span, user: stage.id });
  report(followed, linked);
  switch (followed.kind) {
    case 'unbound':
      return [];
    case 'stage': {
      const target = { text: reference, span, stage: followed.stage, names: followed.names };
      return [{ ...binding, target, crossed: followed.crossed }];
    }
    case 'mistake':
    case 'reported':
      return [{ ...binding, target: undefined, crossed: [] }];
    default:
      return followed satisfies never;
  }
}

function report(followed: FollowedReference, { diagnostics }: Linked): void {
  if (followed.kind === 'mistake') diagnostics.push(followed.diagnostic);
}

/** `inputs.model` could otherwise mean a stage. */
function reservedId({ pipeline }: Scope): readonly Diagnostic[] {
  const stage = pipeline.inputs.size > 0 ? pipeline.stages.get('inputs') : undefined;
  if (stage === undefined) return [];
  const message = 'a pipeline that declares inputs cannot have a stage called `inputs`';
  return [{ code: 'reserved-name', message, span: stage.idSpan, help: 'give the stage another id' }];
}

function unknownInputs({ pipeline, use }: Scope): readonly Diagnostic[] {
  if (use === undefined) return [];
  const known = [...pipeline.inputs.keys()];
  return use.stage.from
    .filter((binding) => !known.includes(portOf(binding, pipeline.inputs) ?? ''))
    .map(({ port, portSpan }) => ({
      code: 'unknown-port',
      message:
        known.length === 0
          ? `stage ${quoted(use.stage.id)} takes no inputs`
          : port === undefined
            ? `stage ${quoted(use.stage.id)} takes several inputs, so each must be named`
            : `stage ${quoted(use.stage.id)} has no input ${quoted(port)}`,
      span: portSpan,
      ...(known.length > 0 && {
        help: (port && didYouMean(port, known)) ?? `its inputs are ${listOf(known, 'and')}`,
      }),
    }));
}

function missingInputs(scope: Scope): readonly Diagnostic[] {
  const { pipeline, use } = scope;
  const missing = [...pipeline.inputs.values()].filter(
    ({ name, required }) => required && bindingOf(scope, name) === undefined,
  );
  if (use === undefined) return missing.map(unboundInput);
  const mistyped = use.stage.from.some(
    (binding) => !pipeline.inputs.has(portOf(binding, pipeline.inputs) ?? ''),
  );
  if (mistyped || !use.stage.fromComplete) return [];
  return missing.map(({ name, type, span }) => ({
    code: 'missing-input',
    message: `stage ${quoted(use.stage.id)} needs an input for ${quoted(name)}`,
    span: use.stage.idSpan,
    help: `bind ${quoted(name)} under \`from\` to an output of type ${quoted(type)}`,
    related: { kind: 'input', span },
  }));
}

/** The pipeline is run alone. */
const unboundInput = ({ name, type, span }: PipelineInput): Diagnostic => ({
  code: 'unbound-input',
  message: `this pipeline is a part of others: nothing binds its input ${quoted(name)} of type ${quoted(type)}`,
  span,
  help: `use the file as a stage of another pipeline, which binds it: \`from: { ${name}: ... }\``,
});
