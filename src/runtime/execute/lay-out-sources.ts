import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type FaultyRecord,
  isList,
  isObject,
  type Json,
  type JsonObject,
  type RecordPlace,
  UserError,
} from '../../core/index.ts';
import type { DagNode, SourceField } from '../graph/dag.ts';
import type { Digest } from '../key/digest.ts';
import { digestPath } from '../plan/read-source.ts';
import type { Failure } from '../stage/run-event.ts';
import { sourceExists } from '../stage/source-pattern.ts';
import type { RecordPlaces, StageNote, StageReport } from '../stage/stage-definition.ts';
import { contentState } from '../store/content-state.ts';
import { type ContentGiver, GivenContents } from '../store/given-contents.ts';
import { pathSegment } from '../store/store-layout.ts';
import { makeTemporaryFolder } from '../store/temporary.ts';
import { displayPathOf } from '../yaml/document-reader.ts';
import { formatPointer } from '../yaml/yaml-doc.ts';
import { ensureContent } from './acquire-sources.ts';
import type { RunContext } from './run-context.ts';

export interface LaidOutSources {
  /** The stage's configuration with each address replaced by a path. */
  readonly config: JsonObject;
  /** The path of a laid-out source -> its address. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** Lays out a stage's remote sources as files; downloads those that the store lacks. */
export async function layOutSources(
  node: Pick<DagNode, 'config' | 'sources'>,
  attempt: {
    readonly folder: string;
    readonly given: ContentGiver;
    readonly context: Pick<RunContext, 'dag' | 'store' | 'sources' | 'resolutions' | 'signal'>;
    readonly report: (report: StageReport) => void;
  },
): Promise<LaidOutSources> {
  const { folder, given, context, report } = attempt;
  const { store, resolutions, signal } = context;
  const paths = new Map<string, string>();
  const addresses = new Map<string, string>();
  for (const [index, field] of node.sources.entries()) {
    if (field.resolver === undefined) {
      if (sourceExists(field.path)) continue;
      const digest = await storedSource(field, context);
      const path = join(folder, String(index), pathSegment(nameOf(field)));
      await given.layOut({ name: `\`${field.path}\``, digest, destination: path });
      paths.set(field.pointer, path);
      addresses.set(path, displayPathOf(field.path, context.dag.workingDirectory));
      continue;
    }
    const resolution = resolutions.get(field.path);
    if (resolution === undefined) continue;
    await ensureContent(field, {
      store,
      resolution,
      signal,
      report: (progress) => report({ type: 'progress', unit: 'byte', ...progress }),
    });
    const path = join(folder, String(index), pathSegment(nameOf(field)));
    await given.layOut({ name: `\`${field.path}\``, digest: resolution.digest, destination: path });
    paths.set(field.pointer, path);
    addresses.set(path, field.path);
  }
  return { config: withValues(node.config, paths), addresses };
}

/** The content of a local source that is not on this machine, from the store. Throws a UserError if that lacks it too. */
async function storedSource(
  { path }: SourceField,
  { dag, store, sources }: Pick<RunContext, 'dag' | 'store' | 'sources'>,
): Promise<Digest> {
  const digest = sources.get(path);
  if (digest !== undefined && (await contentState(store, digest)) === 'present') return digest;
  throw new UserError({
    code: 'missing-file',
    message: `\`${displayPathOf(path, dag.workingDirectory)}\` is not on this machine, and the stage has to read it`,
    help: `ask whoever wrote the lock for it; its content is ${digest}`,
  });
}

/** The last name in an address, such as the file's. */
const nameOf = ({ path }: SourceField): string => path.split(/[/:]/).findLast((name) => name !== '') ?? path;

/** A configuration with other values at some JSON pointers. */
export function withValues(config: JsonObject, values: ReadonlyMap<string, string>): JsonObject {
  if (values.size === 0) return config;
  const at = (value: Json, pointer: string): Json => {
    const own = values.get(pointer);
    if (own !== undefined) return own;
    if (isList(value)) return value.map((item, index) => at(item, `${pointer}/${index}`));
    if (!isObject(value)) return value;
    const members = Object.entries(value);
    return Object.fromEntries(
      members.map(([name, item]) => [name, at(item, pointer + formatPointer([name]))]),
    );
  };
  // Only strings are replaced, so a map stays a map.
  return at(config, '') as JsonObject;
}

/**
 * Adds to a failure the lines of its records in the user's data. They are searched for only now: if a record carried its
 * line, moving it would rerun everything downstream.
 */
export async function locateRecords(
  failure: Failure,
  { node, context }: { readonly node: DagNode; readonly context: LocatingContext },
): Promise<Failure> {
  if (failure.kind !== 'stage-error' || failure.records === undefined) return failure;
  const { records, port } = failure;
  return { ...failure, records: await located(records, { node, port, context }) };
}

/** The same for the records that a warning names. */
export async function locateNote(
  note: StageNote,
  { node, context }: { readonly node: DagNode; readonly context: LocatingContext },
): Promise<StageNote> {
  if (note.records === undefined) return note;
  return { ...note, records: await located(note.records, { node, port: undefined, context }) };
}

async function located(
  records: readonly FaultyRecord[],
  {
    node,
    port,
    context,
  }: { readonly node: DagNode; readonly port: string | undefined; readonly context: LocatingContext },
): Promise<readonly FaultyRecord[]> {
  // Stage that brought the records into the pipeline -> their ids there, each with the id here.
  const origins = new Map<DagNode, Map<string, string>>();
  for (const { id, place } of records) {
    if (id === undefined || place !== undefined) continue;
    const origin = originOf(node, { id, port, nodes: context.dag.nodes });
    if (origin === undefined) continue;
    const ids = origins.get(origin.node) ?? new Map<string, string>();
    origins.set(origin.node, ids.set(id, origin.id));
  }
  const found = new Map<string, RecordPlace>();
  for (const [origin, ids] of origins) {
    const places = await placesIn(origin, { ids: [...new Set(ids.values())], context });
    for (const [here, there] of ids) {
      const place = places.get(there);
      if (place !== undefined) found.set(here, place);
    }
  }
  return records.map((record) => {
    const place = found.get(record.id ?? '');
    return place === undefined ? record : { ...record, place };
  });
}

/** The stage that brought a record at a port into the pipeline, and the record's id there. */
function originOf(
  node: DagNode,
  {
    id,
    port,
    nodes,
  }: {
    readonly id: string;
    /** By default the port that the stage names for its records. */
    readonly port?: string | undefined;
    readonly nodes: ReadonlyMap<string, DagNode>;
  },
): { readonly node: DagNode; readonly id: string } | undefined {
  const { recordsPort } = node.definition;
  const named = port ?? (typeof recordsPort === 'string' ? recordsPort : undefined);
  const traced = typeof recordsPort === 'function' && named === undefined ? recordsPort(id) : undefined;
  const before = named === undefined ? traced : { port: named, id };
  const binding = before && node.inputs[before.port];
  const upstream = binding === undefined ? undefined : nodes.get(binding.stage);
  if (before === undefined || upstream === undefined) return undefined;
  if (upstream.definition.locate !== undefined) return { node: upstream, id: before.id };
  return originOf(upstream, { id: before.id, nodes });
}

/** Empty if the source has changed or cannot be read: the failure is then reported without places. */
async function placesIn(
  node: DagNode,
  { ids, context }: { readonly ids: readonly string[]; readonly context: LocatingContext },
): Promise<RecordPlaces> {
  const { locate } = node.definition;
  if (locate === undefined) return new Map();
  let folder: string | undefined;
  try {
    if (await hasChanged(node, context)) return new Map();
    folder = await makeTemporaryFolder(context.store.root);
    const given = new GivenContents(context.store, { toUserCode: false });
    const { config, addresses } = await layOutSources(node, { folder, given, context, report: () => {} });
    const places = await locate({ config, ids });
    return new Map(
      [...places].map(([id, place]) => [id, { ...place, path: addresses.get(place.path) ?? place.path }]),
    );
  } catch {
    return new Map();
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

/** Whether a local source is not what the key says any more. Reads every byte. */
async function hasChanged({ sources }: DagNode, known: Pick<RunContext, 'sources'>): Promise<boolean> {
  for (const { path, resolver } of sources) {
    if (resolver !== undefined) continue;
    const digest = await digestPath(path).catch(() => undefined);
    if (digest !== known.sources.get(path)) return true;
  }
  return false;
}

type LocatingContext = Pick<RunContext, 'dag' | 'sources' | 'store' | 'resolutions' | 'signal'>;
