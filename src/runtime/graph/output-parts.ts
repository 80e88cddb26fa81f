import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import { err, ok, type Result } from '../result.ts';
import type { StagePorts } from '../stage/stage-definition.ts';
import type { DagNode, InputBinding } from './dag.ts';

type OutputParts = DagNode['outputParts'];

/** The parts of each output: those that the stage makes itself, or those of what its `each` ports are given. */
export function outputPartsOf({
  id,
  ports,
  inputs,
  nodes,
}: {
  readonly id: string;
  readonly ports: StagePorts;
  readonly inputs: Readonly<Record<string, InputBinding>>;
  readonly nodes: ReadonlyMap<string, DagNode>;
}): Result<OutputParts, Omit<Diagnostic, 'span'>> {
  const given = Object.entries(inputs)
    .filter(([port, { part }]) => ports.inputs[port]?.parts === 'each' && part === undefined)
    .map(([port, { stage, output }]) => ({ port, parts: nodes.get(stage)?.outputParts[output] }))
    .filter((input): input is { port: string; parts: readonly string[] } => input.parts !== undefined);
  const [first, ...others] = given;
  const different = others.find(({ parts }) => !sameNames(parts, first?.parts ?? []));
  if (first !== undefined && different !== undefined)
    return err({
      code: 'part-mismatch',
      message: `stage ${quoted(id)} is given the parts ${listOf(first.parts, 'and')} as ${quoted(first.port)}, and ${listOf(different.parts, 'and')} as ${quoted(different.port)}`,
      help: 'bind one part of each, or outputs with the same parts',
    });
  const parts = Object.fromEntries(
    Object.entries(ports.outputs).map(([name, output]) => [name, output.parts ?? first?.parts]),
  );
  const clash = Object.values(parts)
    .flatMap((names) => names ?? [])
    .find((name) => Object.hasOwn(ports.outputs, name));
  return clash === undefined ? ok(parts) : err(nameClash(id, clash));
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name) => b.includes(name));

const nameClash = (id: string, name: string): Omit<Diagnostic, 'span'> => ({
  code: 'name-clash',
  message: `${quoted(name)} is both an output and a part of stage ${quoted(id)}, so that a reference could mean either`,
  help: 'give the part another name',
});
