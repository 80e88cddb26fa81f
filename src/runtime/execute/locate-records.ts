import type { Failure } from '../event/failure.ts';
import type { DagNode } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import type { RecordPlaces } from '../stage/stage-definition.ts';
import { changedSource } from './changed-source.ts';
import type { RunContext } from './run-context.ts';

/**
 * The failure with the lines at which the records that it names stand in the user's data. They are looked for only now
 * because a record does not carry its line: moving it would run everything after it again.
 */
export async function locateRecords(
  failure: Failure,
  { node, context }: { readonly node: DagNode; readonly context: Pick<RunContext, 'dag' | 'sources'> },
): Promise<Failure> {
  if (failure.kind !== 'stage-error' || failure.records === undefined) return failure;
  const { records, port = node.definition.recordsPort } = failure;
  const ids = records.flatMap(({ id, place }) => (id === undefined || place !== undefined ? [] : [id]));
  const origin = originOf(node, { port, nodes: context.dag.nodes });
  if (ids.length === 0 || origin === undefined) return failure;
  const places = await placesIn(origin, { ids, sources: context.sources });
  return {
    ...failure,
    records: records.map((record) => {
      const place = places.get(record.id ?? '');
      return place === undefined ? record : { ...record, place };
    }),
  };
}

/** The stage that brought the records at a port into the pipeline. */
function originOf(
  node: DagNode,
  { port, nodes }: { readonly port: string | undefined; readonly nodes: ReadonlyMap<string, DagNode> },
): DagNode | undefined {
  const binding = port === undefined ? undefined : node.inputs[port];
  const upstream = binding === undefined ? undefined : nodes.get(binding.stage);
  if (upstream === undefined || upstream.definition.locate !== undefined) return upstream;
  return originOf(upstream, { port: upstream.definition.recordsPort, nodes });
}

/** Nothing where the source is no longer what was read, or cannot be read: the failure is told without places then. */
async function placesIn(
  { definition, config, ...node }: DagNode,
  { ids, sources }: { readonly ids: readonly string[]; readonly sources: SourceDigests },
): Promise<RecordPlaces> {
  try {
    if ((await changedSource(node, sources)) !== undefined) return new Map();
    return (await definition.locate?.({ config, ids })) ?? new Map();
  } catch {
    return new Map();
  }
}
