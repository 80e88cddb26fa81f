export { ExactNumber, jsonText, parseExactly } from './exact-number.ts';
export { fileNamePattern, hasFilePattern } from './file-name-pattern.ts';
export {
  counted,
  formatBytes,
  formatCount,
  formatDuration,
  formatFigure,
  shortDigests,
} from './format-number.ts';
export { canonicalJson, isList, isObject, type Json, type JsonObject, numberIn, own } from './json.ts';
export { hasFields, isBoolean, isNumber, isText, type JsonCheck, listOf, orAbsent } from './json-check.ts';
export { withLargePages } from './large-pages.ts';
export { makeFolders } from './make-folders.ts';
export { RandomStream } from './random-stream.ts';
export { RecordNotes } from './record-notes.ts';
export { nameRecords, RecordProblems } from './record-problems.ts';
export { err, ok, type Result } from './result.ts';
export { didYouMean, suggest } from './suggest.ts';
export { newTemporaryFolder } from './temporary-folder.ts';
export { type FaultyRecord, type RecordPlace, UserError } from './user-error.ts';
export { withinTime } from './within-time.ts';
