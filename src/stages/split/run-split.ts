import { createHash } from 'node:crypto';
import { isObject, jsonText, RecordProblems } from '../../core/index.ts';
import type { SplitConfig } from '../../generated/split-config.ts';
import { type DataRecord, missingField } from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/port-contents.ts';
import { type Part, partsOf, restShare } from './parts.ts';

export const { run } = implementStage<SplitConfig>()({
  inputs: { records: 'records' },
  outputs: { records: 'records[part]' },
  async run({ config, inputs, outputs, host }) {
    const assigned = assign(await readAll(inputs.records), config);
    const names = partsOf(config).map(({ name }) => name);
    const leaks = findLeaks(assigned, names);
    if (leaks.length > 0) {
      const message = leakReport(leaks, { assigned, dropped: config.drop_leaks });
      host.report({ type: 'note', level: config.drop_leaks ? 'info' : 'warning', message });
    }
    const dropped = new Set(config.drop_leaks ? leaks.flatMap(({ records }) => records) : []);
    const kept = assigned.filter(({ record }) => !dropped.has(record));
    const empty = names.filter((name) => kept.every(({ part }) => part !== name));
    if (empty.length > 0) host.report({ type: 'note', level: 'warning', message: emptyReport(empty, kept) });
    for (const { part, record } of kept) await outputs.records[part]?.write(record);
  },
});

function assign(records: readonly DataRecord[], config: SplitConfig): readonly AssignedRecord[] {
  const parts = partsOf(config);
  if (config.by === 'order') {
    const names = assignByOrder(records.length, parts);
    return records.map((record, index) => ({ record, part: names[index] ?? '' }));
  }
  const keys = keysOf(records, config.by === 'stratified' ? config.field : config.group);
  if (config.by === 'hash')
    return records.map((record, index) => ({
      record,
      part: assignByHash(keys[index] ?? '', { parts, seed: config.seed }),
    }));
  const members = records.map(({ id }, index) => ({ key: id, stratum: keys[index] ?? '' }));
  const names = assignByStratum(members, { parts, seed: config.seed });
  return records.map((record, index) => ({ record, part: names[index] ?? '' }));
}

/** What decides the part of each record: the value of a field, or the id if no field is named. */
function keysOf(records: readonly DataRecord[], field: string | undefined): readonly string[] {
  const problems = new RecordProblems('cannot be grouped');
  const keys = records.flatMap((record) => {
    const key = problems.collect({ id: record.id }, () =>
      field === undefined ? record.id : valueIn(record, field),
    );
    return key === undefined ? [] : [key];
  });
  problems.throwIfAny();
  return keys;
}

/** The value of a field of the record, or of the row that it was formatted from. */
function valueIn(record: DataRecord, name: string): string {
  const fields = isObject(record.fields) ? record.fields : record;
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined || value === null) throw missingField(fields, name);
  return jsonText(value);
}

function leakReport(
  leaks: readonly Leak[],
  { assigned, dropped }: { assigned: readonly AssignedRecord[]; dropped: boolean },
): string {
  const pairs = leaks.map(({ part, earlier, records }) => {
    const size = assigned.filter((each) => each.part === part).length;
    return `${records.length} of ${size} records in \`${part}\` are also in \`${earlier}\``;
  });
  return `${pairs.join('; ')}${dropped ? '; they were left out' : ' (`drop_leaks: true` leaves them out)'}`;
}

const emptyReport = (empty: readonly string[], kept: readonly AssignedRecord[]): string =>
  `none of ${kept.length} records is in ${empty.map((name) => `\`${name}\``).join(', ')}`;

/**
 * The part of each member, in order; `key` differs between members. Within each stratum of n, a part takes floor(n x
 * share), drawn by a hash of seed and key, and one part the remainder. So each part has the strata in the same
 * proportions as the whole.
 */
function assignByStratum(
  members: readonly { readonly key: string; readonly stratum: string }[],
  { parts, seed }: { readonly parts: readonly Part[]; readonly seed: number },
): readonly string[] {
  const strata = new Map<string, { readonly index: number; readonly place: number }[]>();
  for (const [index, { key, stratum }] of members.entries()) {
    const drawn = { index, place: hashPosition(key, seed) };
    const others = strata.get(stratum);
    if (others === undefined) strata.set(stratum, [drawn]);
    else others.push(drawn);
  }
  const assigned = new Array<string>(members.length).fill('');
  for (const drawn of strata.values()) {
    const names = assignByOrder(drawn.length, parts);
    drawn.sort((a, b) => a.place - b.place);
    for (const [order, { index }] of drawn.entries()) assigned[index] = names[order] ?? '';
  }
  return assigned;
}

/** Shares are decimals: 0.29 of 100 is 29, although 0.29 * 100 is slightly less in floating point. */
const rounding = 1e-9;

/** The part of each of `count` records, in order: a part takes floor(count x share), and one the remainder. */
export function assignByOrder(count: number, parts: readonly Part[]): readonly string[] {
  const sizes = parts.map(({ share }) => (share === 'rest' ? 0 : Math.floor(count * share + rounding)));
  const remainder = count - sizes.reduce((sum, size) => sum + size, 0);
  return parts.flatMap(({ name, share }, index) =>
    new Array<string>(share === 'rest' ? remainder : (sizes[index] ?? 0)).fill(name),
  );
}

/**
 * The part of a record from its key alone: the hash of seed and key is a position in [0, 1), and each part is an
 * interval as long as its share. So adding records never moves others, and equal keys stay together.
 */
export function assignByHash(key: string, { parts, seed }: { parts: readonly Part[]; seed: number }): string {
  const place = hashPosition(key, seed);
  const rest = restShare(parts);
  let end = 0;
  for (const { name, share } of parts) {
    end += share === 'rest' ? rest : share;
    if (place < end) return name;
  }
  return parts.at(-1)?.name ?? '';
}

/** A position in [0, 1): the first 48 bits of the sha256 of seed and key, as a fraction. */
function hashPosition(key: string, seed: number): number {
  return createHash('sha256').update(`${seed}\n${key}`).digest().readUIntBE(0, 6) / 2 ** 48;
}

interface AssignedRecord {
  readonly part: string;
  readonly record: DataRecord;
}

/** Records of `part` whose prompt is also in `earlier`, a part before it. */
interface Leak {
  readonly part: string;
  readonly earlier: string;
  readonly records: readonly DataRecord[];
}

/** Prompts that are in more than one part, by pairs of parts in order. */
function findLeaks(assigned: readonly AssignedRecord[], parts: readonly string[]): readonly Leak[] {
  const prompts = new Map(parts.map((part) => [part, new Set<string>()]));
  const keyed = assigned.map(({ part, record }) => ({ part, record, prompt: promptKey(record) }));
  for (const { part, prompt } of keyed) prompts.get(part)?.add(prompt);
  return parts.flatMap((part, index) =>
    parts.slice(0, index).flatMap((earlier) => {
      const leaked = keyed.filter((each) => each.part === part && prompts.get(earlier)?.has(each.prompt));
      return leaked.length === 0 ? [] : [{ part, earlier, records: leaked.map(({ record }) => record) }];
    }),
  );
}

/** What a record asks, in lowercase: instruction and input, else the formatted prompt, else all fields. */
function promptKey({ id: _, ...row }: DataRecord): string {
  const fields = isObject(row.fields) ? row.fields : row;
  if (typeof fields.instruction === 'string') {
    return jsonText([fields.instruction, fields.input ?? '']).toLowerCase();
  }
  return jsonText(writtenPrompt(row.segments) ?? fields).toLowerCase();
}

function writtenPrompt(segments: DataRecord[string] | undefined): string | undefined {
  if (!Array.isArray(segments)) return undefined;
  const texts = segments.flatMap((segment) =>
    isObject(segment) && segment.role === 'prompt' ? [segment.text] : [],
  );
  return texts.length === 0 ? undefined : texts.join('');
}
