import type { LoadConfig } from '../../generated/load-config.ts';
import type { RecordPlaces, RecordSearch } from '../../runtime/stage/stage-definition.ts';
import type { RecordPlace } from '../../user-error.ts';
import { readRecords } from './read-records.ts';

/** Where records begin in the file that `load` read, by reading it once more as far as needed. */
export async function locateRecords({ config, ids }: RecordSearch<LoadConfig>): Promise<RecordPlaces> {
  const places = new Map<string, RecordPlace>();
  const { records } = config;
  if (records === undefined) return places;
  const wanted = new Set(ids);
  for await (const { record, place } of readRecords({ ...config, records })) {
    if (wanted.delete(record.id) && place !== undefined) places.set(record.id, place);
    if (wanted.size === 0) break;
  }
  return places;
}
