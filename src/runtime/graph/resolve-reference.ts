import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { didYouMean } from '../diagnostic/suggest.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import { err, ok, type Result } from '../result.ts';
import type { DagNode, InputBinding } from './dag.ts';
import type { Reference } from './reference.ts';

/**
 * What a reference means to the stage that it names: a first name that is no output is a part of the first output.
 * That an output and a part never have one name is checked where the stage stands.
 */
export function resolveReference(
  { names, span }: Reference,
  target: DagNode,
): Result<InputBinding, Diagnostic> {
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
  readonly span: Diagnostic['span'] & {};
  /** Given: the name was looked for among this output's parts. */
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
    related: { span: target.spanOf(), message: `stage ${quoted(target.id)} is here` },
  };
}
