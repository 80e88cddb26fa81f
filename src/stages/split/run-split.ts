import type { SplitConfig } from '../../generated/split-config.ts';
import { isObject } from '../../text/parse-record.ts';
import type { DataRecord } from '../../text/record.ts';
import { missingField } from '../../text/template/row-field.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/read-all.ts';
import { RecordProblems } from '../record-problems.ts';
import { assignByHash } from './assign-by-hash.ts';
import { assignByOrder } from './assign-by-order.ts';
import { assignByStratum } from './assign-by-stratum.ts';
import { type Assigned, findLeaks, type Leak } from './find-leaks.ts';
import { partsOf } from './parts.ts';

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

function assign(records: readonly DataRecord[], config: SplitConfig): readonly Assigned[] {
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

/** What decides of each record: the value of a field, or its id where none is named. */
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

/** The value of a field of the record's own, or of the row that it was formatted from. */
function valueIn(record: DataRecord, name: string): string {
  const fields = isObject(record.fields) ? record.fields : record;
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined || value === null) throw missingField(fields, name);
  return JSON.stringify(value);
}

function leakReport(
  leaks: readonly Leak[],
  { assigned, dropped }: { assigned: readonly Assigned[]; dropped: boolean },
): string {
  const pairs = leaks.map(({ part, earlier, records }) => {
    const size = assigned.filter((each) => each.part === part).length;
    return `${records.length} of ${size} records in \`${part}\` also stand in \`${earlier}\``;
  });
  return `${pairs.join('; ')}${dropped ? '; they were left out' : ' (`drop_leaks: true` leaves them out)'}`;
}

const emptyReport = (empty: readonly string[], kept: readonly Assigned[]): string =>
  `of ${kept.length} records none came into ${empty.map((name) => `\`${name}\``).join(', ')}`;
