import type { LoadConfig } from '../../generated/load-config.ts';
import type { DataRecord } from '../../text/record.ts';
import { type RecordPlace, UserError } from '../../user-error.ts';
import { RecordProblems } from '../record-problems.ts';
import { readBenchmark } from './benchmarks/read-benchmark.ts';
import { readRows } from './read-rows.ts';
import { RecordIds } from './record-ids.ts';
import { renameFields } from './rename-fields.ts';
import { rowObject } from './row-object.ts';
import { UnseenFields } from './unseen-fields.ts';

export interface PlacedRecord {
  readonly record: DataRecord;
  /** Absent where a benchmark's layout has no lines to speak of. */
  readonly place: RecordPlace | undefined;
}

/** The records of a file of rows, or of a benchmark in its own layout. */
export function readRecords(config: LoadConfig & { readonly records: string }): AsyncGenerator<PlacedRecord> {
  return config.as === undefined ? readRowRecords(config) : readBenchmark(config.as, config);
}

/** The rows of a data file as records: fields renamed, each with its id, at most `limit` of them. */
async function* readRowRecords(
  config: LoadConfig & { readonly records: string },
): AsyncGenerator<PlacedRecord> {
  const { records: path, type, columns, fields = {}, id: idField, limit = Number.POSITIVE_INFINITY } = config;
  const problems = new RecordProblems(`of ${path} cannot be loaded`);
  const ids = new RecordIds(idField);
  const unseen = new UnseenFields(fields);
  let count = 0;
  for await (const { row: value, ...place } of readRows(path, { type, columns })) {
    count += 1;
    const record = problems.collect({ place }, () => {
      const row = rowObject(value);
      unseen.see(row);
      return ids.identify(renameFields(row, fields), { data: row, line: place.line });
    });
    if (record !== undefined) yield { record, place };
    if (count >= limit) break;
  }
  problems.throwIfAny();
  if (count === 0)
    throw new UserError({
      code: 'no-records',
      message: `${path} holds no rows`,
      help: 'is it the right file?',
    });
  unseen.throwIfAny(path);
}
