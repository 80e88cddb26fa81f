import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type JsonObject, UserError } from '../core/index.ts';
import { grouped, plainMean, unweighted } from '../metrics/index.ts';
import { optionalText, requiredText } from '../text/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource } from './benchmark.ts';
import type { BenchmarkFile } from './benchmark-file.ts';
import { type BenchmarkScores, meanScore } from './benchmark-scores.ts';
import { fieldOf, itemsOf, placeOf, readJson, textOf } from './located.ts';
import { checkSameItems, readPredictionsFor } from './predictions.ts';
import { findFiles, stemOf, wantedTasks } from './task-files.ts';

const step = "Let's think step by step.";

/** BIG-Bench-Hard (Suzgun et al., Challenging BIG-Bench Tasks and Whether Chain-of-Thought Can Solve Them, 2022). */
export const bbh: Benchmark = {
  name: 'bbh',
  layout: {
    records: "the repository's folder, or its `bbh`",
    fields:
      '`task`, `input`, `target`; `cot_prompt` if the folder holds `cot-prompts`; without it questions are asked without examples, which format reports',
  },
  read: readExamples,
  templates: {
    bbh: {
      source:
        "the benchmark's published direct prompts: its worked examples (`cot_prompt`) with the answers alone",
      write: (row) => ({
        prompt: `Q: ${requiredText(row, 'input')}\nA:`,
        header: ' ',
        response: requiredText(row, 'target'),
      }),
      description: (row) => before(directPrompt(row)),
      examplesIn: 'cot_prompt',
      group: taskOf,
    },
    'bbh-cot': {
      source: 'the same examples, with the reasoning',
      write: (row) => ({
        prompt: `Q: ${requiredText(row, 'input')}\nA: ${step}`,
        header: '\n',
        response: requiredText(row, 'target'),
      }),
      description: (row) => before(optionalText(row, 'cot_prompt')),
      examplesIn: 'cot_prompt',
      group: taskOf,
    },
  },
  metrics: {
    bbh: {
      better: 'higher',
      reads: 'text',
      measures:
        'The share of answers that equal the target; of an answer with `the answer is`, what follows it, without a full stop.',
      source: 'BIG-Bench-Hard',
      scoreOne: ({ response, expected }) =>
        unweighted(expected.includes(finalAnswer(response.response ?? '')) ? 1 : 0),
    },
  },
  scorers: {
    bbh: {
      summary: 'exact match, by task and on average',
      data: { file: "a task's JSON, or the repository's folder", example: 'bbh/snarks.json' },
      predictions: {
        file: 'answers by number, or in the order of the data',
        example: 'predictions.jsonl',
      },
      score: async ({ data, predictions }) =>
        scoreTasks(await collected(readExamples({ path: data.path, tasks: undefined })), predictions),
    },
  },
};

/**
 * `<task>.json` files at the top or in `bbh`, as the repository also holds the outputs of models, {examples: [{input, target}]}. If the folder also holds `cot-prompts/<task>.txt`, a row has its
 * text as `cot_prompt`, without the note at its beginning.
 */
async function* readExamples({
  path,
  tasks,
}: Pick<BenchmarkSource, 'path' | 'tasks'>): AsyncGenerator<BenchmarkRow> {
  const files = await findFiles(path, {
    isWanted: (name) =>
      /^(.*\/)?bbh\/[^/]+\.json$|^[^/]+\.json$/.test(name) || /(^|\/)cot-prompts\/[^/]+\.txt$/.test(name),
    expected: 'files like boolean_expressions.json, and perhaps a folder cot-prompts',
  });
  checkWorkedExamples(path, files);
  const prompts = new Map(
    files.filter(({ name }) => name.endsWith('.txt')).map((file) => [stemOf(file.name), file.path]),
  );
  const data = files.filter(({ name }) => !name.endsWith('.txt'));
  const byTask = new Map(data.map((file) => [stemOf(file.name), file.path]));
  for (const [task, file] of wantedTasks(byTask, data[0]?.name === '' ? undefined : tasks)) {
    const prompt = prompts.get(task);
    const cot = prompt === undefined ? {} : { cot_prompt: withoutNote(await readFile(prompt, 'utf8')) };
    const examples = itemsOf(fieldOf(await readJson({ path: file, name: file }), 'examples'));
    for (const [index, example] of examples.entries()) {
      const [input, target] = [fieldOf(example, 'input'), fieldOf(example, 'target')].map(textOf);
      yield {
        id: task === '' ? String(index) : `${task}/${index}`,
        row: { ...(task === '' ? {} : { task }), input: input ?? '', target: target ?? '', ...cot },
      };
    }
  }
}

/** The repository's `bbh` alone would be asked without its worked examples, which lie beside it. */
function checkWorkedExamples(path: string, files: readonly { readonly name: string }[]): void {
  const beside = join(path, '../cot-prompts');
  if (files[0]?.name === '' || files.some(({ name }) => name.endsWith('.txt')) || !existsSync(beside)) return;
  throw new UserError({
    code: 'no-worked-examples',
    message: `${path} holds no worked examples; they are in ${beside}`,
    help: "let `records` be the benchmark's repository, which holds `bbh` and `cot-prompts`",
  });
}

const withoutNote = (text: string): string => text.replace(/^[\s\S]*?\n-----\n/, '').trim();

function taskOf(row: JsonObject): string {
  return optionalText(row, 'task');
}

function before(prompt: string): string {
  return prompt === '' ? '' : `${prompt}\n\n`;
}

/** `A: Let's think step by step. ... So the answer is X.` becomes `A: X`. */
function directPrompt(row: JsonObject): string {
  const direct = optionalText(row, 'cot_prompt')
    .split(/\n\n(?=Q: )/)
    .map((part) =>
      part.replace(/\nA: Let's think step by step\.[\s\S]*the answer is ([\s\S]*?)\.?$/, '\nA: $1'),
    )
    .join('\n\n');
  return (publishedDifferences[taskOf(row)] ?? ((text: string) => text))(direct);
}

/** Where the direct prompts of the published outputs differ from the worked examples by more than the reasoning. */
const publishedDifferences: Readonly<Record<string, (prompt: string) => string>> = {
  date_understanding: (prompt) => prompt.replace('(B) 01/03/1963', '(B) 01/03/1961'),
  snarks: (prompt) => prompt.replace(/\n\nAccording to [^\n]*/, ''),
  tracking_shuffled_objects_three_objects: (prompt) =>
    prompt.replace(
      'Finally, Bob and Alice switch partners. At the end of the dance',
      'Finally, Bob and Alice switch partners. At the end of thehg sy dance',
    ),
};

function finalAnswer(text: string): string {
  const mark = 'the answer is ';
  const at = text.lastIndexOf(mark);
  if (at === -1) return text.trim();
  const [line = ''] = text.slice(at + mark.length).split('\n');
  const answer = line.trim();
  return answer.endsWith('.') ? answer.slice(0, -1) : answer;
}

const collected = async (rows: AsyncIterable<BenchmarkRow>): Promise<readonly BenchmarkRow[]> => {
  const all: BenchmarkRow[] = [];
  for await (const row of rows) all.push(row);
  return all;
};

/** Percentages over all questions, of each of several tasks, and their mean, in which each task counts once. */
async function scoreTasks(examples: readonly BenchmarkRow[], file: BenchmarkFile): Promise<BenchmarkScores> {
  const predictions = await readPredictionsFor(
    file,
    examples.map(({ id }) => id),
  );
  checkSameItems(predictions, { ids: examples.map(({ id }) => id), name: file.name });
  const scored = examples.map(({ id, row }) => {
    const target = requiredText(row, 'target');
    const prediction = predictions.get(id);
    if (prediction?.target !== undefined && prediction.target !== target)
      throw new UserError({
        code: 'other-question',
        message: `${placeOf(prediction.at)} answers another question: its target is ${JSON.stringify(prediction.target)}, and that of ${id} is ${JSON.stringify(target)}`,
        help: 'predictions without ids are in the order of the data',
      });
    return { task: taskOf(row), value: finalAnswer(prediction?.text ?? '') === target ? 1 : 0 };
  });
  const tasks = [...grouped(scored, ({ task }) => task)];
  const accuracy = (some: readonly { readonly value: number }[]) =>
    meanScore({ metric: 'accuracy', values: some.map(({ value }) => value), scale: 100 });
  if (tasks.length < 2) return { metrics: [accuracy(scored)], remarks: [] };
  const byTask = tasks.map(([task, own]) => ({ ...accuracy(own), of: task }));
  const average = {
    metric: 'average',
    value: plainMean(byTask.map(({ value }) => value)).mean,
    count: tasks.length,
  };
  return { metrics: [average, accuracy(scored), ...byTask], remarks: [] };
}
