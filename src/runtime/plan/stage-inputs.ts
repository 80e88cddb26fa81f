import type { DagNode, InputBinding } from '../graph/dag.ts';
import type { Digest, PortContent } from '../store/digest.ts';

/** The outputs of the stages that have ended, by stage and output. */
export type KnownOutputs = ReadonlyMap<string, Readonly<Record<string, PortContent>>>;

/** What a stage is given, or the stages that it waits for. */
export type StageInputs =
  | { readonly kind: 'known'; readonly contents: Readonly<Record<string, PortContent>> }
  | { readonly kind: 'open'; readonly waitsFor: readonly string[] };

export function inputsOf(node: DagNode, known: KnownOutputs): StageInputs {
  const bindings = Object.entries(node.inputs);
  const waitsFor = [...new Set(bindings.map(([, { stage }]) => stage))].filter((stage) => !known.has(stage));
  if (waitsFor.length > 0) return { kind: 'open', waitsFor };
  return {
    kind: 'known',
    contents: Object.fromEntries(bindings.map(([port, to]) => [port, contentAt(to, known)])),
  };
}

function contentAt(binding: InputBinding, known: KnownOutputs): PortContent {
  const { stage, output, part } = binding;
  const outputs = known.get(stage);
  const content = outputs !== undefined && Object.hasOwn(outputs, output) ? outputs[output] : undefined;
  if (content === undefined) throw new Error(`${stage} has no output ${output}`);
  return part === undefined ? content : partOf(content, binding);
}

function partOf(content: PortContent, { stage, output, part = '' }: InputBinding): Digest {
  const digest =
    typeof content === 'object' && Object.hasOwn(content.parts, part) ? content.parts[part] : undefined;
  if (digest === undefined) throw new Error(`${stage}.${output} has no part ${part}`);
  return digest;
}
