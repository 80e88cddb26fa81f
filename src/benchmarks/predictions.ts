import { isObject, type JsonObject, UserError } from '../core/index.ts';
import { parseJson, readDelimitedRows } from '../formats/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource } from './benchmark.ts';
import { type BenchmarkFile, readText } from './benchmark-file.ts';
import { harnessSample, isHarnessSample } from './harness-samples.ts';
import { itemsOf, type Located, labelOf, placeOf, readJsonLines, unfit } from './located.ts';
import type { Prediction } from './prediction.ts';

/** Predictions of other programs, as responses. */
export const predictions: Benchmark = {
  name: 'predictions',
  layout: {
    records:
      'answers of another program: `{"<id>": "<answer>"}`; a JSON list, JSONL, CSV or TSV of answers with or without ids; lm-evaluation-harness\'s `samples_*.jsonl`; results of OpenAI\'s batches',
    fields:
      'those of a [response](stages/generate.md), for evaluate, execute and pair; the rest as its `fields`',
  },
  read: readResponses,
};

async function* readResponses({ path }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  for (const [index, prediction] of (await readPredictions({ path, name: path })).entries()) {
    const { id = String(index), text, target = '', prompt = '', choices, fields, at } = prediction;
    yield {
      id,
      row: {
        prompt,
        expected: target,
        fields,
        response: text,
        ...(choices === undefined ? {} : { choices }),
      },
      ...(at.line === undefined ? {} : { place: { path, line: at.line } }),
    };
  }
}

/** The predictions of a file, in its order. All or none have ids, and no two have the same. */
export async function readPredictions(file: BenchmarkFile): Promise<readonly Prediction[]> {
  const found = (await valuesOf(file)).map(([at, key]) => predictionOf(at, key));
  const [first] = found;
  if (first === undefined) return [];
  const seen = new Map<string, Prediction>();
  for (const prediction of found) {
    const { id, at } = prediction;
    if ((id === undefined) !== (first.id === undefined))
      throw new UserError({
        code: 'missing-id',
        message: `${placeOf(id === undefined ? at : first.at)} has no id, and ${placeOf(id === undefined ? first.at : at)} has one`,
        help: 'give each prediction an id, or none of them, where they are in the order of the questions',
      });
    const before = id === undefined ? undefined : seen.get(id);
    if (id === undefined) continue;
    if (before !== undefined)
      throw new UserError({
        code: 'repeated-item',
        message: `${placeOf(at)}: the id ${JSON.stringify(id)} is already that of ${placeOf(before.at)}`,
        ...(isHarnessSample(at) && {
          help: 'lm-evaluation-harness writes a line for each `filter` of a task: keep the lines of one',
        }),
      });
    seen.set(id, prediction);
  }
  return found;
}

/** The texts by their ids. Predictions without ids are the answers to `ids`, in their order. */
export async function readPredictionsFor(
  file: BenchmarkFile,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Prediction>> {
  const found = await readPredictions(file);
  const isOrdered = found.every(({ id }) => id === undefined);
  if (isOrdered && found.length !== ids.length)
    throw new UserError({
      code: 'unequal-lengths',
      message: `${file.name} holds ${found.length} predictions without ids, and the data ${ids.length} questions`,
      help: 'predictions without ids answer the questions in their order, one each; give them ids otherwise',
    });
  return new Map(found.map((prediction, index) => [prediction.id ?? ids[index] ?? '', prediction]));
}

/** Every question has a prediction, and every prediction a question. */
export function checkSameItems(
  predictions: ReadonlyMap<string, Prediction>,
  { ids, name }: { readonly ids: readonly string[]; readonly name: string },
): void {
  const missing = ids.filter((id) => !predictions.has(id));
  if (missing.length > 0)
    throw new UserError({
      code: 'missing-predictions',
      message: `${name}: ${missing.length} of ${ids.length} items have no prediction; the first is ${missing[0]}`,
      help: 'this benchmark is defined over all items: predict each of them',
    });
  const known = new Set(ids);
  for (const [id, { at }] of predictions)
    if (!known.has(id))
      throw new UserError({ code: 'unknown-item', message: `${placeOf(at)}: the data has no item ${id}` });
}

/** The answers' texts by their ids, as `readPredictionsFor` finds them. */
export const readAnswers = async (
  file: BenchmarkFile,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> =>
  new Map([...(await readPredictionsFor(file, ids))].map(([id, { text }]) => [id, text]));

type Keyed = readonly [at: Located, key?: string];

/** The predictions as they are written, with their keys in `{"<id>": ...}`. */
async function valuesOf(file: BenchmarkFile): Promise<readonly Keyed[]> {
  const text = (await readText(file)).trimStart();
  if (!/^[[{]/.test(text)) return await delimitedValues(file, text);
  const [line = '', ...others] = text.trimEnd().split('\n');
  const isLines =
    /\.jsonl(\.gz)?$/.test(file.name) || (text.startsWith('{') && others.length > 0 && isWhole(line));
  if (isLines) return (await readJsonLines(file)).map((at) => [at]);
  const root = { value: parseJson(text, { path: file.name }), file: file.name, path: '' };
  if (!isObject(root.value)) return itemsOf(root).map((at) => [at]);
  const { outputs } = root.value;
  // As BIG-Bench-Hard publishes its models' outputs.
  if (Array.isArray(outputs)) return itemsOf({ ...root, value: outputs, path: 'outputs' }).map((at) => [at]);
  if (fieldIn(root.value, answerFields) !== undefined && fieldIn(root.value, idFields) !== undefined)
    return [[root]];
  return Object.entries(root.value).map(([key, value]) => [{ ...root, value, path: key }, key]);
}

function isWhole(line: string): boolean {
  try {
    return isObject(JSON.parse(line));
  } catch {
    return false;
  }
}

async function delimitedValues({ path, name }: BenchmarkFile, text: string): Promise<readonly Keyed[]> {
  const type = text.split('\n', 1)[0]?.includes('\t') ? 'tsv' : 'csv';
  const found: Keyed[] = [];
  for await (const { line, row } of readDelimitedRows(path, { type, columns: undefined }))
    found.push([{ value: row, file: name, line, path: '' }]);
  return found;
}

const idFields = [
  'id',
  'question_id',
  'qid',
  'task_id',
  'doc_id',
  'instance_id',
  'custom_id',
  'idx',
  'index',
] as const;

const answerFields = [
  'prediction',
  'predicted_text',
  'prediction_text',
  'response',
  'model_response',
  'completion',
  'generation',
  'output',
  'answer',
  'solution',
  'label',
  'score',
] as const;

function predictionOf(at: Located, key: string | undefined): Prediction {
  const { value } = at;
  if (!isObject(value))
    return { ...(key === undefined ? {} : { id: key }), text: answerText(at), fields: {}, at };
  if (isHarnessSample(at)) return harnessSample(at);
  const answer = fieldIn(value, answerFields);
  if (answer === undefined) throw unfit(at, `a prediction: an object with one of ${answerFields.join(', ')}`);
  const named = fieldIn(value, idFields);
  const id = key ?? (named === undefined ? undefined : labelOf(part(at, named)));
  const { target } = value;
  const used = [answer, named, 'target'];
  return {
    ...(id === undefined ? {} : { id }),
    text: answerText(part(at, answer)),
    ...(typeof target === 'string' ? { target } : {}),
    fields: Object.fromEntries(Object.entries(value).filter(([name]) => !used.includes(name))),
    at,
  };
}

/** A text, number or boolean; or the first message of a response of OpenAI's chat completions, as batches hold it. */
function answerText(at: Located): string {
  const body = isObject(at.value) && isObject(at.value.body) ? at.value.body : undefined;
  const choice = Array.isArray(body?.choices) ? body.choices[0] : undefined;
  const message = isObject(choice) && isObject(choice.message) ? choice.message : undefined;
  if (typeof message?.content === 'string') return message.content;
  if (at.value === null || typeof at.value === 'object') throw unfit(at, 'a text');
  return String(at.value);
}

const fieldIn = (row: JsonObject, names: readonly string[]): string | undefined =>
  names.find((name) => Object.hasOwn(row, name));

const part = (at: Located, name: string): Located => ({
  ...at,
  value: isObject(at.value) ? (at.value[name] ?? null) : null,
  path: at.path === '' ? name : `${at.path}.${name}`,
});
