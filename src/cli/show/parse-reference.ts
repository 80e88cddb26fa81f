import { closest } from 'fastest-levenshtein';
import type { Dag, DagNode } from '../../runtime/index.ts';
import { UsageError } from '../usage-error.ts';

/** One content of a pipeline: a stage's output, or a part of it. */
export interface ArtifactReference {
  readonly node: DagNode;
  readonly output: string;
  readonly type: string;
  readonly part: string | undefined;
}

/** Reads `stage[.output][.part]`. A stage alone means its first output; an output with parts needs one of them. */
export function parseReference(dag: Dag, text: string): ArtifactReference {
  const [id = '', ...path] = text.split('.');
  const node = dag.nodes.get(id);
  if (!node)
    throw unknown({
      what: `the pipeline ${dag.name} has no stage \`${id}\``,
      given: id,
      known: [...dag.nodes.keys()],
    });
  const outputs = Object.keys(node.ports.outputs);
  const named = outputs.find((name) => name === path[0]);
  const output = named ?? outputs[0];
  if (output === undefined) throw new UsageError({ message: `the stage \`${id}\` has no outputs` });
  const parts = node.outputParts[output] ?? [];
  const [part, ...more] = named === undefined ? path : path.slice(1);
  if (more.length > 0 || (part !== undefined && !parts.includes(part))) {
    const what = `\`${text}\` names neither an output of \`${id}\` nor one of its parts`;
    throw unknown({ what, given: part ?? '', known: [...outputs, ...parts].map((name) => `${id}.${name}`) });
  }
  if (part === undefined && parts.length > 0) {
    throw new UsageError({
      message: `\`${text}\` has the parts ${parts.join(', ')}`,
      help: `name one of them, as in \`retune show ${id}.${parts[0]}\``,
    });
  }
  return { node, output, part, type: node.ports.outputs[output]?.type ?? 'file' };
}

function unknown({
  what,
  given,
  known,
}: {
  what: string;
  given: string;
  known: readonly string[];
}): UsageError {
  const near = known.length > 0 && given !== '' ? closest(given, [...known]) : undefined;
  const help = near === undefined ? undefined : `did you mean \`${near}\`? It has ${known.join(', ')}`;
  return new UsageError({ message: what, help });
}
