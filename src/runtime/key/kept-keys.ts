import { canonicalJson } from '../../core/index.ts';
import type { DagNode } from '../graph/dag.ts';
import { sha256 } from '../store/digest.ts';
import { type CacheKey, type KeyMaterial, parseCacheKey } from './key-material.ts';

/** A stage that says what executions with other keys may share. */
interface KeptFor {
  readonly node: Pick<DagNode, 'definition' | 'config'>;
  readonly material: KeyMaterial;
}

/**
 * The key of what a stage keeps on its way: its key without the fields that say how far it goes. Undefined where what it
 * does on the way depends on them.
 */
export function checkpointKeyOf({ node, material }: KeptFor): CacheKey | undefined {
  const fields = node.definition.horizon?.fields(node.config) ?? [];
  if (fields.length === 0) return undefined;
  return keyOf({ kept: 'checkpoints', ...material, config: without(material.config, fields) });
}

/** The key of the results for single examples: of what decides about one example, beside the example itself. */
export function memoKeyOf({ node, material }: KeptFor): CacheKey | undefined {
  const { memo } = node.definition;
  if (memo === undefined) return undefined;
  const inputs = Object.entries(material.inputs).filter(([port]) => memo.ports.includes(port));
  const config = without(material.config, memo.fieldsApart(node.config));
  return keyOf({ kept: 'memo', ...material, config, inputs: Object.fromEntries(inputs) });
}

const without = (config: KeyMaterial['config'], fields: readonly string[]): KeyMaterial['config'] =>
  Object.fromEntries(Object.entries(config).filter(([name]) => !fields.includes(name)));

function keyOf(material: object): CacheKey {
  const key = parseCacheKey(sha256(canonicalJson(material)));
  if (key === undefined) throw new TypeError('sha256 gave no key');
  return key;
}
