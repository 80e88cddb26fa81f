import type { LoadConfig } from '../../../generated/load-config.ts';
import type { DataRecord } from '../../../text/record.ts';
import { type RecordPlace, UserError } from '../../../user-error.ts';
import { renameFields } from '../rename-fields.ts';
import { type BenchmarkName, benchmarkReaders } from './benchmark-readers.ts';

type Config = Pick<LoadConfig, 'split' | 'tasks' | 'fields' | 'limit'> & { readonly records: string };

/** A benchmark's rows as records; `limit` counts them over all tasks. */
export async function* readBenchmark(
  name: BenchmarkName,
  { records: path, split, tasks, fields = {}, limit = Number.POSITIVE_INFINITY }: Config,
): AsyncGenerator<{ readonly record: DataRecord; readonly place: RecordPlace | undefined }> {
  let count = 0;
  const ids = new Set<string>();
  for await (const { id, row, place } of benchmarkReaders[name]({ path, split, tasks })) {
    if (ids.has(id))
      throw new UserError({ code: 'duplicate-id', message: `${path}: two rows are ${id} of the benchmark` });
    ids.add(id);
    const { id: _, ...own } = renameFields(row, fields);
    yield { record: { id, ...own }, place };
    count += 1;
    if (count >= limit) return;
  }
  if (count === 0) throw new UserError({ code: 'no-records', message: `${path} holds no rows of ${name}` });
}
