import type { PipelineStage, ValidPipeline, WrittenBinding } from '../config/valid-pipeline.ts';
import type { Checked } from '../diagnostic/checked.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { didYouMean } from '../diagnostic/suggest.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import type { Dependencies } from './order-stages.ts';
import { parseReference } from './reference.ts';

/** Which stages each stage names in `from`; a reference without form or to a stage that is not there is reported. */
export function findDependencies({ stages }: ValidPipeline): Checked<Dependencies> {
  const diagnostics: Diagnostic[] = [];
  const dependencies = new Map<string, readonly string[]>();
  for (const stage of stages.values()) {
    const needs: string[] = [];
    for (const binding of stage.from) {
      const reference = parseReference(binding.reference, binding.span);
      if (reference === undefined) diagnostics.push(malformed(binding));
      else if (stages.has(reference.stage)) needs.push(reference.stage);
      else diagnostics.push(unknownStage(stage, { name: reference.stage, binding, stages }));
    }
    dependencies.set(stage.id, needs);
  }
  return { value: dependencies, diagnostics };
}

const malformed = ({ reference, span }: WrittenBinding): Diagnostic => ({
  code: 'bad-reference',
  message: `${quoted(reference)} is not a reference`,
  span,
  help: 'a reference is `stage`, `stage.output`, `stage.part` or `stage.output.part`',
});

function unknownStage(
  { id }: PipelineStage,
  {
    name,
    binding,
    stages,
  }: { readonly name: string; readonly binding: WrittenBinding; readonly stages: ValidPipeline['stages'] },
): Diagnostic {
  const others = [...stages.keys()].filter((other) => other !== id);
  const known = others.length > 12 ? [...others.slice(0, 12), '...'] : others;
  return {
    code: 'unknown-reference',
    message: `the pipeline has no stage ${quoted(name)}`,
    span: binding.span,
    help:
      didYouMean(name, others) ??
      (known.length === 0 ? 'it has no other stage' : `its stages are ${listOf(known, 'and')}`),
  };
}
