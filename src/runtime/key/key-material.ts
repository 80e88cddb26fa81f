import type { JsonObject } from '../../json.ts';
import type { DagNode, ModuleDigests } from '../graph/dag.ts';
import { type Digest, type PortContent, sha256 } from '../store/digest.ts';
import { type CacheKey, parseCacheKey } from './cache-key.ts';
import { canonicalJson } from './canonical-json.ts';
import { keyedConfig } from './keyed-config.ts';

/** Rises when keys are made in another way, so that records of the two never meet. */
const keyFormat = 1;

/** Everything that decides what a stage writes, and nothing else: no path, id, host, time or backend. */
export interface KeyMaterial {
  readonly format: number;
  readonly uses: string;
  readonly version: number;
  /** Defaults filled in; sources as `{ "$content": digest }`; fields that do not matter left out. */
  readonly config: JsonObject;
  /** Port -> its content. A port that nothing is bound to is absent. */
  readonly inputs: Readonly<Record<string, PortContent>>;
  /** The code of a user's stage. */
  readonly modules?: ModuleDigests;
}

/** Absolute path of a source -> its content's digest when the plan was made. */
export type SourceDigests = ReadonlyMap<string, Digest>;

export function keyMaterialOf(stage: {
  readonly node: DagNode;
  readonly inputs: Readonly<Record<string, PortContent>>;
  readonly sources: SourceDigests;
}): KeyMaterial {
  const { node, inputs, sources } = stage;
  return {
    format: keyFormat,
    uses: node.definition.name,
    version: node.definition.version,
    config: keyedConfig({ node, sources }),
    inputs,
    ...(node.modules && { modules: node.modules }),
  };
}

/** key = sha256(JCS(material)), JCS = RFC 8785. */
export function cacheKeyOf(material: KeyMaterial): CacheKey {
  const key = parseCacheKey(sha256(canonicalJson(material)));
  if (key === undefined) throw new TypeError('sha256 gave no key');
  return key;
}
