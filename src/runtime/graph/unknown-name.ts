import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { didYouMean } from '../diagnostic/suggest.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import type { Reference } from './reference.ts';
import type { Scope } from './scope.ts';

export const badReference = (reference: string, span: Span): Diagnostic => ({
  code: 'bad-reference',
  message: `${quoted(reference)} is not a reference`,
  span,
  help: 'a reference is `stage`, `stage.output`, `stage.part` or `stage.output.part`',
});

/** A reference to a stage that the pipeline does not have, or no longer has. */
export function unknownReference(
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
    ...(removed !== undefined && { related: { span: removed, message: 'it is taken away here' } }),
  };
}

export function unknownInput({ names, span }: Reference, { pipeline }: Scope): Diagnostic {
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
export function unknownOutput({ stage, names, span }: Reference, { pipeline }: Scope): Diagnostic {
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
