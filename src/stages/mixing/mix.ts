import { createHash } from 'node:crypto';
import { isObject, UserError } from '../../core/index.ts';
import { type DataRecord, datasetField } from '../../text/index.ts';

/** One of several sources of records, and how much of it is taken. */
export interface MixedSource<Item extends { readonly record: DataRecord }> {
  readonly name: string;
  /** How many records to take from the beginning. */
  readonly limit?: number | undefined;
  /** How often each of those is taken; a fraction draws some of them once more. */
  readonly weight: number;
  /** All records, each time from the beginning. Their ids differ. */
  readonly read: () => AsyncIterable<Item> | Iterable<Item>;
}

/**
 * The records of the sources, one source after the other. Each gets the source's name into its field `dataset` and in
 * front of its id, so that ids differ: `dolly/17`, and `dolly~2/17` for a second copy.
 */
export async function* mix<Item extends { readonly record: DataRecord }>(
  sources: readonly MixedSource<Item>[],
  seed: number,
): AsyncGenerator<Item> {
  for (const source of sources) {
    const { name, weight } = source;
    const drawn = await drawnIds(source, seed);
    const whole = wholePart(weight);
    const passes = drawn === undefined ? whole : whole + 1;
    for (let pass = 1; pass <= passes; pass += 1)
      for await (const item of limited(source))
        if (pass <= whole || drawn?.has(item.record.id) === true)
          yield { ...item, record: named(item.record, { name, pass }) };
  }
}

/** The name of a record's source and its id there, from its id in the mix; undefined for any other id. */
export function originOfMixed(id: string): { readonly name: string; readonly id: string } | undefined {
  const [, name, inner] = /^([^/~]+)(?:~\d+)?\/(.*)$/s.exec(id) ?? [];
  return name === undefined || inner === undefined ? undefined : { name, id: inner };
}

async function* limited<Item extends { readonly record: DataRecord }>({
  read,
  limit = Number.POSITIVE_INFINITY,
}: MixedSource<Item>): AsyncGenerator<Item> {
  let count = 0;
  for await (const item of read()) {
    yield item;
    count += 1;
    if (count >= limit) return;
  }
}

/** Weights are decimals: 0.29 of 100 is 29, although 0.29 * 100 is slightly less in floating point. */
const rounding = 1e-9;
const wholePart = (weight: number): number => Math.floor(weight + rounding);

/**
 * The ids that the fraction of a weight takes once more: floor(n x fraction) of n, those with the smallest hashes of
 * seed, source and id. So a record that is added moves at most one other. Undefined if the weight is whole.
 */
async function drawnIds<Item extends { readonly record: DataRecord }>(
  source: MixedSource<Item>,
  seed: number,
): Promise<ReadonlySet<string> | undefined> {
  const fraction = source.weight - wholePart(source.weight);
  if (fraction <= rounding) return undefined;
  const places: { readonly id: string; readonly hash: string }[] = [];
  for await (const { record } of limited(source)) {
    const { id } = record;
    const hash = createHash('sha256').update(`${seed}\n${source.name}\n${id}`).digest('hex');
    places.push({ id, hash });
  }
  const count = Math.floor(places.length * fraction + rounding);
  places.sort((one, other) => (one.hash < other.hash ? -1 : 1));
  return new Set(places.slice(0, count).map(({ id }) => id));
}

/** The record with its source's name. A record of an earlier mix keeps that name, behind this one: `chat/ultrachat`. */
function named(
  record: DataRecord,
  { name, pass }: { readonly name: string; readonly pass: number },
): DataRecord {
  const id = `${name}${pass === 1 ? '' : `~${pass}`}/${record.id}`;
  const fields = 'segments' in record && isObject(record.fields) ? record.fields : undefined;
  const before = (fields ?? record)[datasetField];
  const names = record.id.replaceAll(/~\d+(?=\/)/g, '');
  const isMixed = typeof before === 'string' && names.startsWith(`${before}/`);
  if (before !== undefined && before !== null && !isMixed)
    throw new UserError({
      code: 'field-taken',
      message: `the record ${record.id} of \`${name}\` has a field \`${datasetField}\`, where the name of its source belongs`,
      help: `give the field another name with \`fields: { <new name>: ${datasetField} }\` of load`,
    });
  const dataset = isMixed ? `${name}/${before}` : name;
  if (fields !== undefined) return { ...record, id, fields: { ...fields, [datasetField]: dataset } };
  return { ...record, id, [datasetField]: dataset };
}
