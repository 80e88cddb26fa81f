import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../../core/index.ts';
import { readBytes } from '../../formats/index.ts';
import type { LoadConfig } from '../../generated/load-config.ts';
import { isSourcePattern, matchingNames } from '../../runtime/index.ts';

const dataFile = /\.(jsonl?|ndjson|csv|tsv)(\.gz)?$|\.parquet$/i;
/** What systems and programs add to a folder: hidden files, macOS's `._` files, Spark's `_SUCCESS`. */
const hiddenFile = /^[._]/;
/** What datasets and models keep beside their rows. */
const descriptions = new Set([
  'config.json',
  'dataset_dict.json',
  'dataset_info.json',
  'dataset_infos.json',
  'state.json',
]);

interface DataFiles {
  readonly paths: readonly string[];
  /** What a folder has besides that could hold rows: files with descriptions, and folders. */
  readonly leftOut: readonly string[];
}

/** The file itself, or a folder's files of rows in the order of their names. Folders inside it are not read. */
export async function dataFiles(path: string): Promise<DataFiles> {
  if (isSourcePattern(path)) return matchingDataFiles(path);
  const found = await stat(path);
  if (found.isFile()) return { paths: [path], leftOut: [] };
  const entries = found.isDirectory() ? await readdir(path, { withFileTypes: true }) : [];
  const visible = entries
    .filter(({ name }) => !hiddenFile.test(name))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const folders = visible.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const files = visible
    .filter((entry) => !entry.isDirectory() && dataFile.test(entry.name))
    .map(({ name }) => name);
  const names = files.filter((name) => !descriptions.has(name.toLowerCase()));
  const leftOut = [...files.filter((name) => !names.includes(name)), ...folders.map((name) => `${name}/`)];
  if (names.length > 0) return { paths: names.map((name) => join(path, name)), leftOut };
  throw new UserError({
    code: 'not-a-file',
    message: `${path} is neither a file nor a folder with JSON, JSONL, CSV, TSV or Parquet files`,
    help: adviceFor(
      visible.map(({ name }) => name),
      folders,
    ),
  });
}

function matchingDataFiles(pattern: string): DataFiles {
  const names = matchingNames(pattern);
  const files = names.filter((name) => dataFile.test(name));
  const leftOut = names.filter((name) => !files.includes(name));
  if (files.length > 0) return { paths: files.map((name) => join(dirname(pattern), name)), leftOut };
  throw new UserError({
    code: 'not-a-file',
    message: `no JSON, JSONL, CSV, TSV or Parquet file matches ${pattern}`,
    help: names.length === 0 ? 'check the folder and the pattern' : `it matches ${names.join(', ')}`,
  });
}

function adviceFor(names: readonly string[], folders: readonly string[]): string {
  if (names.some((name) => name.endsWith('.arrow'))) return fromArrow;
  const [folder] = folders;
  return folder === undefined
    ? 'give the path of a file of rows, or of a folder of them'
    : `give the path of a file of rows, or of a folder of them; perhaps ${folders.length === 1 ? 'its folder' : 'one of its folders, such as'} \`${folder}\``;
}

const fromArrow =
  'Arrow files are what datasets keeps for itself: write Parquet with `load_from_disk(FOLDER).to_parquet(FILE)`';

/** How much of a file shows its type. */
const headBytes = 64 * 1024;

type RowType = Exclude<LoadConfig['type'], 'auto'>;

/**
 * The format of a file's rows, by its content alone: the result of a stage depends on contents, never on names, so the
 * file's extension must not decide. Throws a UserError for a file that is known to be something else.
 */
export async function detectType(path: string): Promise<RowType> {
  const bytes = await firstBytes(path);
  const beginning = bytes.toString('latin1');
  if (beginning.startsWith('PAR1')) return 'parquet';
  const other = otherFiles.find(({ mark }) => beginning.startsWith(mark));
  if (other !== undefined) throw notRows(path, other);
  const whole = bytes.toString('utf8').replace(/^\uFEFF/, '');
  const text = whole.trimStart();
  if (text.startsWith('[')) return 'json';
  const [firstLine = '', ...more] = text.split('\n', 2);
  if (text.startsWith('{')) return more.length === 0 || isJson(firstLine) ? 'jsonl' : 'json';
  // A header row may begin with a tab: the column before it is pandas's index, which has no name.
  const header = whole.split(/[\r\n]+/, 2).find((line) => line !== '');
  return header?.includes('\t') ? 'tsv' : 'csv';
}

async function firstBytes(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of readBytes(path)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= headBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, headBytes);
}

interface OtherFile {
  /** How it begins, one character per byte. */
  readonly mark: string;
  readonly what: string;
  readonly help: string;
}

const unpackIt = 'unpack it, and give the path of the file or folder inside';
const otherFiles: readonly OtherFile[] = [
  {
    mark: 'PK\x03\x04',
    what: 'a ZIP archive or an Excel file',
    help: `${unpackIt}; from Excel, save the sheet as CSV (UTF-8)`,
  },
  { mark: 'ARROW1', what: 'an Arrow file', help: fromArrow },
  { mark: '\xff\xff\xff\xff', what: 'an Arrow file', help: fromArrow },
  { mark: '\x28\xb5\x2f\xfd', what: 'packed with Zstandard', help: unpackIt },
  { mark: '\xfd7zXZ\x00', what: 'packed with xz', help: unpackIt },
  { mark: 'BZh', what: 'packed with bzip2', help: unpackIt },
  {
    mark: 'version https://git-lfs.',
    what: 'a pointer of Git LFS',
    help: 'take the file that it stands for: `git lfs pull`',
  },
  ...['<!DOCTYPE html', '<!doctype html', '<html'].map((mark) => ({
    mark,
    what: 'a web page',
    help: 'take the file itself, not the page that shows it or asks for a login',
  })),
  { mark: 'SQLite format 3\x00', what: 'an SQLite data base', help: 'write the rows of a table as CSV' },
  { mark: '\x80\x04\x95', what: 'a pickle', help: 'write it with Python as JSONL or Parquet' },
];

const notRows = (path: string, { what, help }: OtherFile): UserError =>
  new UserError({ code: 'not-rows', message: `${path} is ${what}, not a file of rows`, help });

/** A line with half an object is the beginning of a JSON file, not of JSONL. */
function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
