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

/**
 * Reads `stage[.output][.part]`, where a sub-pipeline counts as a stage with the outputs that it declares. A stage alone
 * means its first output; an output with parts needs one of them.
 */
export function parseReference(dag: Dag, text: string): ArtifactReference {
  const { node, path } = findNode(dag, text);
  const { id } = node;
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
      help: `name one of them, as in \`tuneloom show ${id}.${parts[0]}\``,
    });
  }
  return { node, output, part, type: node.ports.outputs[output]?.type ?? 'file' };
}

interface Found {
  readonly node: DagNode;
  /** What is named of it. */
  readonly path: readonly string[];
}

/** The stage, or the one that a sub-pipeline's output comes from; the longest name counts, since one may hold a dot. */
function findNode(dag: Dag, text: string): Found {
  const steps = text.split('.');
  for (let length = steps.length; length > 0; length -= 1) {
    const name = steps.slice(0, length).join('.');
    const given = dag.given.get(name);
    const node = dag.nodes.get(given?.stage ?? name);
    if (node !== undefined) return { node, path: [...(given?.names ?? []), ...steps.slice(length)] };
  }
  const [id = ''] = steps;
  const known = [...dag.nodes.keys(), ...dag.given.keys()];
  throw unknown({ what: `the pipeline ${dag.name} has no stage \`${id}\``, given: text, known });
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
