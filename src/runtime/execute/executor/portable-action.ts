import { basename, join } from 'node:path';
import { isList, isObject, type Json, type JsonObject } from '../../../core/index.ts';
import type { Digest, PortContent } from '../../key/digest.ts';
import { type CacheKey, parseCacheKey } from '../../key/key-material.ts';
import type { ActionPort, StageAction, StageResources } from '../../stage/stage-action.ts';
import { GivenContents } from '../../store/given-contents.ts';
import { openKeptFolder } from '../../store/kept-folder.ts';
import type { Store } from '../../store/store.ts';
import { attemptFiles, pathSegment } from '../../store/store-layout.ts';
import { formatPointer } from '../../yaml/yaml-doc.ts';
import { withValues } from '../lay-out-sources.ts';
import { prepareAction } from '../prepare-action.ts';
import type { Job } from './executor.ts';

/** An action without a path: every content is named by its digest, so that any store can lay it out. */
export interface PortableAction {
  readonly stage: string;
  readonly uses: string;
  readonly version: number;
  /** Empty texts stand where a source's path belongs. */
  readonly config: JsonObject;
  readonly sources: readonly PortableSource[];
  readonly inputs: Readonly<Record<string, PortContent>>;
  /** The parts of each output; null: it has none. */
  readonly outputs: Readonly<Record<string, readonly string[] | null>>;
  readonly memo?: CacheKey;
  readonly checkpoints?: CacheKey;
  readonly resources: StageResources;
  readonly share?: NonNullable<StageAction['share']>;
  readonly environment?: readonly string[];
  readonly code?: Digest;
  readonly toUserCode: boolean;
}

interface PortableSource {
  /** A JSON pointer into the configuration. */
  readonly pointer: string;
  readonly digest: Digest;
  /** Its last name, which a stage may look at. */
  readonly name: string;
}

/** Takes the paths out of a job's action. `code`: the digest of its bundled code. */
export function portableAction(
  { action, definition, contents }: Pick<Job, 'action' | 'definition' | 'contents'>,
  code: Digest | undefined,
): PortableAction {
  const digestAt = (path: string): Digest => {
    const digest = contents.get(path)?.digest;
    if (digest === undefined) throw new Error(`${action.stage} reads ${path}, whose digest is not known`);
    return digest;
  };
  const sources: PortableSource[] = [];
  const withoutPaths = (value: Json, pointer: string): Json => {
    if (typeof value === 'string') {
      const found = contents.get(value);
      if (found === undefined) return value;
      sources.push({ pointer, digest: found.digest, name: basename(value) });
      return '';
    }
    if (isList(value)) return value.map((item, index) => withoutPaths(item, `${pointer}/${index}`));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [
        name,
        withoutPaths(item, pointer + formatPointer([name])),
      ]),
    );
  };
  const memo = parseCacheKey(basename(action.memoPath ?? ''));
  const checkpoints = parseCacheKey(basename(action.checkpointPath ?? ''));
  return {
    stage: action.stage,
    uses: action.uses,
    version: action.version,
    // Only texts are replaced, so a map stays a map.
    config: withoutPaths(action.config, '') as JsonObject,
    sources,
    inputs: mapPorts(action.inputs, digestAt),
    outputs: Object.fromEntries(
      Object.entries(action.outputs).map(([port, content]) => [
        port,
        'path' in content ? null : Object.keys(content.parts),
      ]),
    ),
    ...(memo && { memo }),
    ...(checkpoints && { checkpoints }),
    resources: action.resources,
    ...(action.share && { share: action.share }),
    ...(action.environment && { environment: action.environment }),
    ...(code && { code }),
    toUserCode: definition.runsUserCode === true || action.code !== undefined,
  };
}

const mapPorts = (
  ports: Readonly<Record<string, ActionPort>>,
  digestAt: (path: string) => Digest,
): Readonly<Record<string, PortContent>> =>
  Object.fromEntries(
    Object.entries(ports).map(([port, content]): [string, PortContent] => {
      if ('path' in content) return [port, digestAt(content.path)];
      const parts = Object.entries(content.parts).map(([part, path]) => [part, digestAt(path)] as const);
      return [port, { parts: Object.fromEntries(parts) }];
    }),
  );

/**
 * Lays a portable action out in the folder of an attempt, from a store that has all of its contents. The code of a user's
 * stage is not laid out. Also gives the path of each source, by its pointer.
 */
export async function layOutPortable(
  portable: PortableAction,
  { store, folder }: { readonly store: Store; readonly folder: string },
): Promise<{ readonly action: StageAction; readonly paths: Readonly<Record<string, string>> }> {
  const { stage, uses, version, config, sources, inputs, outputs, memo, checkpoints, resources } = portable;
  const given = new GivenContents(store, { toUserCode: portable.toUserCode });
  const paths = new Map<string, string>();
  for (const [index, { pointer, digest, name }] of sources.entries()) {
    const destination = join(folder, attemptFiles.sources, String(index), pathSegment(name));
    await given.layOut({ name: `its source \`${name}\``, digest, destination });
    paths.set(pointer, destination);
  }
  const ports = Object.entries(outputs);
  const prepared = await prepareAction({
    node: {
      id: stage,
      config: withValues(config, paths),
      definition: { name: uses, version },
      ports: { outputs: Object.fromEntries(ports.map(([port]) => [port, {}])) },
      outputParts: Object.fromEntries(
        ports.flatMap(([port, parts]) => (parts === null ? [] : [[port, parts]])),
      ),
      resources,
    },
    ...{ inputs, folder, given, resources },
  });
  const action: StageAction = {
    ...prepared,
    ...(memo && { memoPath: await openKeptFolder(store, { kind: 'memo', key: memo }) }),
    ...(checkpoints && {
      checkpointPath: await openKeptFolder(store, { kind: 'checkpoints', key: checkpoints }),
    }),
    ...(portable.share && { share: portable.share }),
    ...(portable.environment && { environment: portable.environment }),
    ...(portable.code && { code: join(folder, attemptFiles.code) }),
  };
  return { action, paths: Object.fromEntries(paths) };
}
