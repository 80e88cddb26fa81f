import type { Checked } from '../diagnostic/checked.ts';
import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { didYouMean } from '../diagnostic/suggest.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import { err, ok, type Result } from '../result.ts';
import type { InputPort, StagePorts } from '../stage/stage-definition.ts';
import { borderMistake } from './check-borders.ts';
import type { DagNode, InputBinding } from './dag.ts';
import type { LinkedBinding } from './link-stages.ts';
import { resolveReference } from './resolve-reference.ts';

export interface Binder {
  readonly id: string;
  /** The namespace that it stands in. */
  readonly prefix: string;
  /** Where a missing input is shown. */
  readonly span: Span;
  readonly from: readonly LinkedBinding[];
  /** Whether an input that is not there is a mistake; false where a mistake that has been reported explains it. */
  readonly tellsMissing: boolean;
  readonly inputs: StagePorts['inputs'];
  /** Every stage before this one; one with mistakes of its own is absent, and references to it are not followed. */
  readonly nodes: ReadonlyMap<string, DagNode>;
}

/** Binds what `from` says to the stage's ports: names, types and parts are checked, and that nothing needed is missing. */
export function bindInputs(binder: Binder): Checked<Readonly<Record<string, InputBinding>>> {
  const { from, inputs } = binder;
  const diagnostics: Diagnostic[] = [];
  const bindings: [string, InputBinding][] = [];
  const [firstPort] = Object.keys(inputs);
  for (const written of from) {
    const name = written.port ?? firstPort;
    const port = name !== undefined && Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    const bound =
      name === undefined || port === undefined
        ? err(unknownPort(binder, written))
        : bind(binder, { written, name, port });
    if (!bound.ok) diagnostics.push(bound.error);
    else if (bound.value !== undefined && name !== undefined) bindings.push([name, bound.value]);
  }
  // A mistyped port would otherwise be said a second time, as a missing one.
  const told = !binder.tellsMissing || diagnostics.some(({ code }) => code === 'unknown-port');
  const given = new Set(from.map(({ port }) => port ?? firstPort));
  const missing = Object.entries(inputs).filter(
    ([name, { required }]) => required && !given.has(name) && !told,
  );
  diagnostics.push(...missing.map(([name, port]) => missingInput(binder, { name, port })));
  return { value: Object.fromEntries(bindings), diagnostics };
}

interface Bound {
  readonly written: LinkedBinding;
  readonly name: string;
  readonly port: InputPort;
}

function bind(
  { id, nodes }: Binder,
  { written, name, port }: Bound,
): Result<InputBinding | undefined, Diagnostic> {
  const reference = written.target;
  const target = reference && nodes.get(reference.stage);
  if (reference === undefined || target === undefined) return ok(undefined);
  // Told at the border that it comes over.
  if (written.crossed.some((border) => borderMistake(border, nodes) !== undefined)) return ok(undefined);
  const resolved = resolveReference(reference, target);
  if (!resolved.ok) return resolved;
  const { output, part } = resolved.value;
  const subject = `${quoted(name)} of stage ${quoted(id)}`;
  const type = target.ports.outputs[output]?.type ?? '';
  if (!port.accepts.includes(type) && !port.accepts.includes('file'))
    return err({
      code: 'type-mismatch',
      message: `${subject} takes ${listOf(port.accepts, 'or')}, and ${quoted(reference.text)} is of type ${quoted(type)}`,
      span: written.span,
      ...otherOutput(target, port),
      related: { span: target.spanOf(), message: `stage ${quoted(target.id)} is here` },
    });
  const parts = target.outputParts[output];
  if (part === undefined && parts !== undefined && port.parts === 'one')
    return err({
      code: 'part-needed',
      message: `${subject} takes one part, and ${quoted(reference.text)} has the parts ${listOf(parts, 'and')}`,
      span: written.span,
      help: `write ${listOf(
        parts.map((one) => `${reference.text}.${one}`),
        'or',
      )}`,
    });
  return resolved;
}

function otherOutput(target: DagNode, port: InputPort): { help?: string } {
  const fitting = Object.entries(target.ports.outputs).filter(([, { type }]) => port.accepts.includes(type));
  const names = fitting.map(([name]) => `${target.id}.${name}`);
  return names.length === 0 ? {} : { help: `${listOf(names, 'or')} would fit` };
}

function unknownPort({ id, inputs }: Binder, { port, portSpan }: LinkedBinding): Diagnostic {
  const known = Object.keys(inputs);
  const none = known.length === 0;
  return {
    code: 'unknown-port',
    message:
      none || port === undefined
        ? `stage ${quoted(id)} takes no inputs`
        : `stage ${quoted(id)} has no input ${quoted(port)}`,
    span: portSpan,
    ...(!none && { help: didYouMean(port ?? '', known) ?? `its inputs are ${listOf(known, 'and')}` }),
  };
}

function missingInput(
  { id, prefix, span, nodes }: Binder,
  { name, port }: { readonly name: string; readonly port: InputPort },
): Diagnostic {
  const fitting = [...nodes.values()]
    .filter((node) => node.id.startsWith(prefix) && !node.id.includes('/', prefix.length))
    .flatMap((node) =>
      Object.entries(node.ports.outputs)
        .filter(([, { type }]) => port.accepts.includes(type))
        .map(([output]) => `${node.id.slice(prefix.length)}.${output}`),
    );
  const some = fitting.length === 0 ? '' : `, such as ${listOf(fitting.slice(0, 3), 'or')}`;
  const binding = `bind ${quoted(name)} under \`from\` to an output of type ${listOf(port.accepts, 'or')}${some}`;
  return {
    code: 'missing-input',
    message: `stage ${quoted(id)} needs an input for ${quoted(name)}`,
    span,
    help: port.help === undefined ? binding : `${binding}, ${port.help}`,
  };
}
