import { rm } from 'node:fs/promises';
import type { Failure } from '../event/failure.ts';
import type { DagNode } from '../graph/dag.ts';
import type { RecordPlaces } from '../stage/stage-definition.ts';
import { makeTemporaryFolder } from '../store/atomic-write.ts';
import { changedSource } from './changed-source.ts';
import { layOutSources } from './lay-out-sources.ts';
import type { RunContext } from './run-context.ts';

/**
 * The failure with the lines at which the records that it names stand in the user's data. They are looked for only now
 * because a record does not carry its line: moving it would run everything after it again.
 */
export async function locateRecords(
  failure: Failure,
  { node, context }: { readonly node: DagNode; readonly context: LocatingContext },
): Promise<Failure> {
  if (failure.kind !== 'stage-error' || failure.records === undefined) return failure;
  const { records, port = node.definition.recordsPort } = failure;
  const ids = records.flatMap(({ id, place }) => (id === undefined || place !== undefined ? [] : [id]));
  const origin = originOf(node, { port, nodes: context.dag.nodes });
  if (ids.length === 0 || origin === undefined) return failure;
  const places = await placesIn(origin, { ids, context });
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
  node: DagNode,
  { ids, context }: { readonly ids: readonly string[]; readonly context: LocatingContext },
): Promise<RecordPlaces> {
  const { locate } = node.definition;
  if (locate === undefined) return new Map();
  let folder: string | undefined;
  try {
    if ((await changedSource(node, context.sources)) !== undefined) return new Map();
    folder = await makeTemporaryFolder(context.store.root);
    const { config, addresses } = await layOutSources(node, { folder, context, report: () => {} });
    return withAddresses(await locate({ config, ids }), addresses);
  } catch {
    return new Map();
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

type LocatingContext = Pick<RunContext, 'dag' | 'sources' | 'store' | 'resolutions' | 'signal'>;

/** The places with the addresses that the user wrote where their content was laid out. */
const withAddresses = (places: RecordPlaces, addresses: ReadonlyMap<string, string>): RecordPlaces =>
  new Map(
    [...places].map(([id, place]) => [id, { ...place, path: addresses.get(place.path) ?? place.path }]),
  );
