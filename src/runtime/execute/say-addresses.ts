import type { FaultyRecord } from '../../user-error.ts';
import type { Failure } from '../event/failure.ts';

/** The failure with the addresses that its user wrote in the place of the paths at which they were laid out. */
export function sayAddresses(failure: Failure, addresses: ReadonlyMap<string, string>): Failure {
  if (addresses.size === 0 || failure.kind !== 'stage-error') return failure;
  const said = (text: string): string =>
    [...addresses].reduce((left, [path, address]) => left.replaceAll(path, address), text);
  const { message, help, records } = failure;
  return {
    ...failure,
    message: said(message),
    ...(help === undefined ? {} : { help: said(help) }),
    ...(records === undefined ? {} : { records: records.map((record) => recordSaid(record, said)) }),
  };
}

const recordSaid = (record: FaultyRecord, said: (text: string) => string): FaultyRecord => ({
  ...record,
  ...(record.problem === undefined ? {} : { problem: said(record.problem) }),
  ...(record.place === undefined ? {} : { place: { ...record.place, path: said(record.place.path) } }),
});
