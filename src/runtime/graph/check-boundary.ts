import type { PipelineInput } from '../config/valid-pipeline.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { didYouMean } from '../diagnostic/suggest.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import { bindingOf, portOf, type Scope } from './scope.ts';

/** Whether a pipeline is given the inputs that it declares, and no others. */
export function checkBoundary(scope: Scope): readonly Diagnostic[] {
  return [...reservedId(scope), ...unknownInputs(scope), ...missingInputs(scope)];
}

/** `inputs.model` could otherwise mean a stage. */
function reservedId({ pipeline }: Scope): readonly Diagnostic[] {
  const stage = pipeline.inputs.size > 0 ? pipeline.stages.get('inputs') : undefined;
  if (stage === undefined) return [];
  const message = 'in a pipeline that declares inputs no stage can be called `inputs`';
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
            ? `stage ${quoted(use.stage.id)} takes several inputs, so that each has to be named`
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
    related: { span, message: 'the input is declared here' },
  }));
}

/** The pipeline is run by itself. */
const unboundInput = ({ name, type, span }: PipelineInput): Diagnostic => ({
  code: 'unbound-input',
  message: `this pipeline is a part of others: nothing gives its input ${quoted(name)} of type ${quoted(type)}`,
  span,
  help: `use the file as a stage of another pipeline, which binds it: \`from: { ${name}: ... }\``,
});
