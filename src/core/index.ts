export { canonicalJson, isList, isObject, type Json, type JsonObject, own } from './json.ts';
export { hasFields, isBoolean, isNumber, isText, type JsonCheck, listOf, orAbsent } from './json-check.ts';
export { RandomStream } from './random-stream.ts';
export { nameRecords, RecordProblems } from './record-problems.ts';
export { err, ok, type Result } from './result.ts';
export { didYouMean, suggest } from './suggest.ts';
export { newTemporaryFolder } from './temporary-folder.ts';
export { type FaultyRecord, type RecordPlace, UserError } from './user-error.ts';
export { withinTime } from './within-time.ts';
