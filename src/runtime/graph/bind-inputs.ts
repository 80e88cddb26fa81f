import { didYouMean, err, ok, own, type Result } from '../../core/index.ts';
import { type Checked, type Diagnostic, listOf, quoted, type Span } from '../diagnostic/diagnostic.ts';
import type { InputPort, StagePorts } from '../stage/stage-definition.ts';
import type { DagNode, InputBinding } from './dag.ts';
import type { Border, LinkedBinding } from './link-stages.ts';
import { type CrossedInput, fullId, type Reference } from './reference.ts';

interface StageInputs {
  readonly id: string;
  readonly path: readonly string[];
  /** Where a missing input is shown. */
  readonly span: Span;
  readonly from: readonly LinkedBinding[];
  /** False where a reported mistake may be why an input is missing. */
  readonly reportsMissing: boolean;
  readonly inputs: StagePorts['inputs'];
  /** Every valid stage before this one. References to invalid stages are not checked. */
  readonly nodes: ReadonlyMap<string, DagNode>;
}

/** Binds the references of `from` to the stage's ports: checks names, types, parts and that no required input is missing. */
export function bindInputs(stage: StageInputs): Checked<Readonly<Record<string, InputBinding>>> {
  const { from, inputs } = stage;
  const diagnostics: Diagnostic[] = [];
  const bindings: [string, InputBinding][] = [];
  const [firstPort] = Object.keys(inputs);
  const refused = new Set<string>();
  for (const written of from) {
    const name = written.port ?? firstPort;
    const port = name === undefined ? undefined : portNamed(inputs, name);
    // Once for a map of names where one reference is taken.
    const base = name === undefined ? '' : baseOf(name);
    if (port === undefined && Object.hasOwn(inputs, base)) {
      if (refused.has(base)) continue;
      refused.add(base);
    }
    const bound =
      name === undefined || port === undefined
        ? err(unknownPort(stage, written))
        : bind(stage, { written, name, port });
    if (!bound.ok) diagnostics.push(bound.error);
    else if (bound.value !== undefined && name !== undefined) bindings.push([name, bound.value]);
  }
  // A mistyped port would otherwise be reported again, as a missing one.
  const isExplained = !stage.reportsMissing || diagnostics.some(({ code }) => code === 'unknown-port');
  const given = new Set(
    from.flatMap(({ port = firstPort }) => (port === undefined ? [] : [port, baseOf(port)])),
  );
  const missing = Object.entries(inputs).filter(
    ([name, { required }]) => required && !given.has(name) && !isExplained,
  );
  diagnostics.push(...missing.map(([name, port]) => missingInput(stage, { name, port })));
  return { value: Object.fromEntries(bindings), diagnostics };
}

const baseOf = (name: string): string => name.split('.')[0] ?? name;

/** `validation.easy` is a port if `validation` takes a map of names. */
function portNamed(inputs: StagePorts['inputs'], name: string): InputPort | undefined {
  const base = own(inputs, baseOf(name));
  return own(inputs, name) ?? (base?.named === true ? base : undefined);
}

function bind(
  { id, nodes }: StageInputs,
  {
    written,
    name,
    port,
  }: { readonly written: LinkedBinding; readonly name: string; readonly port: InputPort },
): Result<InputBinding | undefined, Diagnostic> {
  const reference = written.target;
  const target = reference && nodes.get(reference.stage);
  if (reference === undefined || target === undefined) return ok(undefined);
  // Reported where it enters a sub-pipeline.
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
      related: { kind: 'stage', id: target.id, span: target.spanOf() },
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

function unknownPort({ id, inputs }: StageInputs, { port, portSpan }: LinkedBinding): Diagnostic {
  const known = Object.keys(inputs);
  const base = port === undefined ? '' : baseOf(port);
  if (base !== port && Object.hasOwn(inputs, base))
    return {
      code: 'unknown-port',
      message: `${quoted(base)} of stage ${quoted(id)} takes one output, not a map of names`,
      span: portSpan,
      help: `write a reference: \`${base}: stage.output\`${inputs[base]?.help === undefined ? '' : `, ${inputs[base].help}`}`,
    };
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
  { id, path, span, nodes }: StageInputs,
  { name, port }: { readonly name: string; readonly port: InputPort },
): Diagnostic {
  const fitting = [...nodes.values()]
    .filter((node) => fullId(node.path.slice(0, -1)) === fullId(path.slice(0, -1)))
    .flatMap((node) =>
      Object.entries(node.ports.outputs)
        .filter(([, { type }]) => port.accepts.includes(type))
        .map(([output]) => `${node.path.at(-1)}.${output}`),
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

/**
 * What a reference means to its stage: a first name that is not an output is a part of the first output. No output has
 * the name of a part, which is checked for every stage.
 */
function resolveReference({ names, span }: Reference, target: DagNode): Result<InputBinding, Diagnostic> {
  const outputs = Object.keys(target.outputParts);
  const [first, second, third] = names;
  const namesOutput = first !== undefined && Object.hasOwn(target.outputParts, first);
  const output = namesOutput ? first : outputs[0];
  const part = namesOutput ? second : first;
  const beyond = namesOutput ? third : second;
  if (output === undefined) return err(unknownName({ name: first, target, span }));
  const parts = target.outputParts[output];
  if (beyond !== undefined || (part !== undefined && parts?.includes(part) !== true))
    return err(unknownName({ name: beyond ?? part, target, span, ...(namesOutput && { output }) }));
  return ok({ stage: target.id, output, span, ...(part !== undefined && { part }) });
}

function unknownName({
  name,
  target,
  span,
  output,
}: {
  readonly name: string | undefined;
  readonly target: DagNode;
  readonly span: Span;
  /** Set where the name was looked for among this output's parts. */
  readonly output?: string;
}): Diagnostic {
  const outputs = output === undefined ? Object.keys(target.outputParts) : [];
  const parts = target.outputParts[output ?? Object.keys(target.outputParts)[0] ?? ''] ?? [];
  const owner =
    output === undefined ? `stage ${quoted(target.id)}` : `${quoted(output)} of stage ${quoted(target.id)}`;
  const sought = output !== undefined ? 'part' : parts.length > 0 ? 'output or part' : 'output';
  const has = [
    ...(outputs.length > 0 ? [`${outputs.length > 1 ? 'outputs' : 'output'} ${listOf(outputs, 'and')}`] : []),
    ...(parts.length > 0 ? [`${parts.length > 1 ? 'parts' : 'part'} ${listOf(parts, 'and')}`] : []),
  ];
  return {
    code: output === undefined ? 'unknown-output' : 'unknown-part',
    message: name === undefined ? `${owner} has no output` : `${owner} has no ${sought} ${quoted(name)}`,
    span,
    help:
      (name && didYouMean(name, [...outputs, ...parts])) ??
      (has.length > 0 ? `it has the ${has.join(' and the ')}` : 'it has none'),
    related: { kind: 'stage', id: target.id, span: target.spanOf() },
  };
}

type Nodes = ReadonlyMap<string, DagNode>;

/** Checks that bindings of sub-pipelines' inputs have the declared types. A mistake that is passed on is reported once. */
export const checkBorders = (borders: readonly Border[], nodes: Nodes): readonly Diagnostic[] =>
  borders.flatMap(({ into, crossed }) => {
    if (crossed.some((before) => borderMistake(before, nodes) !== undefined)) return [];
    return borderMistake(into, nodes) ?? [];
  });

/** Undefined also where the bound stage has mistakes. */
function borderMistake(
  { input, binding, stage, target }: CrossedInput,
  nodes: Nodes,
): Diagnostic | undefined {
  const node = nodes.get(target.stage);
  if (node === undefined) return undefined;
  const { reference, span } = binding;
  const resolved = resolveReference({ text: reference, span, ...target }, node);
  if (!resolved.ok) return resolved.error;
  const type = node.ports.outputs[resolved.value.output]?.type ?? '';
  if (input.type === type || input.type === 'file') return undefined;
  return {
    code: 'type-mismatch',
    message: `${quoted(input.name)} of stage ${quoted(stage)} takes ${quoted(input.type)}, and ${quoted(reference)} is of type ${quoted(type)}`,
    span,
    related: { kind: 'input', span: input.span },
  };
}
