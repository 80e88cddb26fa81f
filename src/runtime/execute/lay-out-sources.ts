import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Json, JsonObject } from '../../json.ts';
import type { DagNode, SourceField } from '../graph/dag.ts';
import { formatPointer } from '../source/json-pointer.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import { type Digest, isFolderDigest } from '../store/digest.ts';
import { materialiseFolder } from '../store/materialise.ts';
import type { Store } from '../store/store.ts';
import { blobPath, pathSegment } from '../store/store-layout.ts';
import { ensureContent } from './fetch-source.ts';
import type { RunContext } from './run-context.ts';

export interface LaidOutSources {
  /** The stage's configuration with a path in the place of each address. */
  readonly config: JsonObject;
  /** Path -> the address that it stands for. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** Lays out the remote sources of a stage for reading, downloading what the store does not hold. */
export async function layOutSources(
  node: Pick<DagNode, 'config' | 'sources'>,
  attempt: {
    readonly folder: string;
    readonly context: Pick<RunContext, 'store' | 'resolutions' | 'signal'>;
    readonly report: (report: StageReport) => void;
  },
): Promise<LaidOutSources> {
  const { folder, context, report } = attempt;
  const { store, resolutions, signal } = context;
  const paths = new Map<string, string>();
  const addresses = new Map<string, string>();
  for (const [index, field] of node.sources.entries()) {
    const resolution = field.resolver === undefined ? undefined : resolutions.get(field.path);
    if (resolution === undefined) continue;
    await ensureContent(field, {
      store,
      resolution,
      signal,
      report: (progress) => report({ type: 'progress', unit: 'byte', ...progress }),
    });
    const path = join(folder, String(index), pathSegment(nameOf(field)));
    await layOut(store, { digest: resolution.digest, path });
    paths.set(field.pointer, path);
    addresses.set(path, field.path);
  }
  return { config: withValues(node.config, paths), addresses };
}

/** The last name in an address: what a person would call the file. */
const nameOf = ({ path }: SourceField): string => path.split(/[/:]/).findLast((name) => name !== '') ?? path;

async function layOut(
  store: Store,
  { digest, path }: { readonly digest: Digest; readonly path: string },
): Promise<void> {
  if (isFolderDigest(digest)) return materialiseFolder(store, { digest, destination: path });
  await mkdir(dirname(path), { recursive: true });
  await symlink(join(store.root, blobPath(digest)), path);
}

function withValues(config: JsonObject, values: ReadonlyMap<string, string>): JsonObject {
  if (values.size === 0) return config;
  const at = (value: Json, pointer: string): Json => {
    const own = values.get(pointer);
    if (own !== undefined) return own;
    if (Array.isArray(value)) return value.map((item: Json, index) => at(item, `${pointer}/${index}`));
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value);
    return Object.fromEntries(
      members.map(([name, item]) => [name, at(item, pointer + formatPointer([name]))]),
    );
  };
  // The walk keeps the kind of every value but the texts, and the whole is a map.
  return at(config, '') as JsonObject;
}
