import type { SplitConfig } from '../../generated/split-config.ts';
import { isObject } from '../../text/parse-record.ts';
import type { DataRecord } from '../../text/record.ts';
import { missingField } from '../../text/template/row-field.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/read-all.ts';
import { RecordProblems } from '../record-problems.ts';
import { assignByHash } from './assign-by-hash.ts';
import { assignByOrder } from './assign-by-order.ts';
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
  const { seed, group } = config;
  const problems = new RecordProblems('cannot be grouped');
  const assigned = records.flatMap((record) => {
    const key = problems.collect({ id: record.id }, () =>
      group === undefined ? record.id : groupOf(record, group),
    );
    return key === undefined ? [] : [{ record, part: assignByHash(key, { parts, seed }) }];
  });
  problems.throwIfAny();
  return assigned;
}

/** The group that a record belongs to, by a field of its own or of the row that it was formatted from. */
function groupOf(record: DataRecord, group: string): string {
  const fields = isObject(record.fields) ? record.fields : record;
  const value = Object.hasOwn(fields, group) ? fields[group] : undefined;
  if (value === undefined || value === null) throw missingField(fields, group);
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
