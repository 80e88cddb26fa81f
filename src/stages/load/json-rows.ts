import { isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import { notUtf8, parseJson, readBytes } from '../../formats/index.ts';
import { fieldsIn } from '../../text/index.ts';
import { itemLines } from './item-lines.ts';

/** A larger file does not fit into one JavaScript string. */
const maximumBytes = 400 * 1024 * 1024;

interface Item {
  /** The line on which it begins. */
  readonly line: number;
  readonly value: Json;
}

/** The items of the list that a JSON file holds, or that `field` of its object holds: `data`, or `data.paragraphs`. */
export async function readJsonItems(path: string, field: string | undefined): Promise<readonly Item[]> {
  const text = await readText(path);
  const root = parseJson(text, { path, exact: true });
  const names = field === undefined ? [] : field.split('.');
  if (field === undefined && !Array.isArray(root)) throw notAList(path, root);
  const values = itemsAt(root, { names, path });
  const lines = itemLines(text, names);
  return values.map((value, index) => ({ line: lines[index] ?? 1, value }));
}

interface Search {
  readonly path: string;
  /** The fields that lead from here to the rows. */
  readonly names: readonly string[];
}

function itemsAt(value: Json, { names, path }: Search): readonly Json[] {
  if (!Array.isArray(value)) return memberItems(value, { names, path });
  if (names.length === 0) return value;
  return value.flatMap((item: Json): readonly Json[] => {
    const member = memberOf(item, { names, path });
    // At the end of the names, what an item of a list holds is a row.
    return names.length === 1 && !Array.isArray(member)
      ? [member]
      : itemsAt(member, { names: names.slice(1), path });
  });
}

function memberItems(value: Json, { names, path }: Search): readonly Json[] {
  if (names.length > 0) return itemsAt(memberOf(value, { names, path }), { names: names.slice(1), path });
  throw notAList(path, value);
}

function memberOf(value: Json, { names, path }: Search): Json {
  const [name = ''] = names;
  const member = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  if (member !== undefined) return member;
  const found = isObject(value) ? `it has ${fieldsIn(value)}` : 'it is no object';
  throw new UserError({
    code: 'unknown-field',
    message: `${path} has no field \`${name}\`, which \`field\` names`,
    help: `where \`${name}\` is looked for, ${found}`,
  });
}

async function readText(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of readBytes(path)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maximumBytes) throw tooLarge(path);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw await notUtf8(path, cause);
  }
}

const tooLarge = (path: string): UserError =>
  new UserError({
    code: 'file-too-large',
    message: `${path} is larger than ${maximumBytes / 1024 / 1024} MiB, too large to read as one JSON value`,
    help: 'convert it to JSONL (one object on each line), which is read line by line',
  });

/** The error for JSON that is no list of rows, with how to read or write its rows, or else the `alternative`. */
export function notAList(path: string, value: Json, alternative?: string): UserError {
  const found = isObject(value) ? `one object with ${fieldsIn(value)}` : 'one value';
  const help =
    (isObject(value) ? rowsWithin(value) : undefined) ??
    'rows are a JSON list of objects, [{...}, {...}], or JSONL: one object on each line';
  return new UserError({
    code: 'not-a-list',
    message: `${path} holds ${found}, not a list of rows`,
    help: alternative === undefined ? help : `${help}; ${alternative}`,
  });
}

/** Whether an object is more likely a file's rows than one row of it. */
export const holdsRows = (value: JsonObject): boolean =>
  wrapped(value).some((name) => Object.keys(value).length === 1 || wrappers.has(name.toLowerCase())) ||
  columnsIn(value) !== undefined;

/** Names that files give to the list of their rows. */
const wrappers = new Set(
  ['data', 'rows', 'records', 'examples', 'instances', 'items', 'questions', 'samples', 'dataset'].concat([
    ...['train', 'training', 'validation', 'valid', 'dev', 'test', 'eval'],
  ]),
);

const rowsAsLines = "pandas writes rows with `df.to_json(FILE, orient='records', lines=True)`";

function rowsWithin(value: JsonObject): string | undefined {
  const [name, ...others] = wrapped(value).toSorted(
    (one, other) => rowCount(value, other) - rowCount(value, one),
  );
  if (name === undefined) {
    const columns = columnsIn(value);
    return columns && `its fields are columns, ${columns}, not rows; ${rowsAsLines}`;
  }
  const first = (value[name] as readonly Json[])[0];
  const inner =
    isObject(first) && Object.hasOwn(first, 'row_idx') && isObject(first.row) ? `${name}.row` : name;
  const more = others.length === 0 ? '' : `; ${others.map((other) => `\`${other}\``).join(', ')} likewise`;
  return `read the list in its field \`${name}\` with \`field: ${inner}\`${more}`;
}

const rowCount = (value: JsonObject, name: string): number => (value[name] as readonly Json[]).length;

/** The fields that hold a list of objects, but not the turns of a conversation. */
const wrapped = (value: JsonObject): readonly string[] =>
  Object.entries(value).flatMap(([name, list]) =>
    Array.isArray(list) && list.length > 0 && list.every((item: Json) => isObject(item) && !isTurn(item))
      ? [name]
      : [],
  );

const isTurn = (item: JsonObject): boolean =>
  Object.hasOwn(item, 'role') || (Object.hasOwn(item, 'from') && Object.hasOwn(item, 'value'));

/** How an object writes a table by its columns, if it does. */
function columnsIn(value: JsonObject): string | undefined {
  const fields = Object.values(value);
  if (['columns', 'index', 'data'].every((name) => Array.isArray(value[name])))
    return "as pandas's orient='split' has them";
  const [first] = fields;
  if (fields.length < 2 && !isIndexed(first)) return undefined;
  if (Array.isArray(first) && first.length > 1) {
    const areEven = fields.every((field) => Array.isArray(field) && field.length === first.length);
    return areEven ? `lists of ${first.length} values each` : undefined;
  }
  return fields.length > 0 && fields.every(isIndexed)
    ? "as pandas's to_json writes them by default"
    : undefined;
}

/** {"0": ..., "1": ...} */
const isIndexed = (field: Json | undefined): boolean =>
  field !== undefined &&
  isObject(field) &&
  Object.keys(field).length > 0 &&
  Object.keys(field).every((key, index) => key === String(index));
