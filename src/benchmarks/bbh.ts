import { readFile } from 'node:fs/promises';
import type { JsonObject } from '../core/index.ts';
import { type Metric, plainly } from '../metrics/index.ts';
import { optionalText, requiredText } from '../text/index.ts';
import type { BenchmarkReader, ExampleTemplate } from './benchmark.ts';
import { fieldOf, itemsOf, readJson, textOf } from './located.ts';
import { findFiles, stemOf, wantedTasks } from './task-files.ts';
import { finalAnswer } from './task-matches.ts';

/**
 * BIG-Bench-Hard's `<task>.json` files, {examples: [{input, target}]}. Where the folder also holds its
 * `cot-prompts/<task>.txt`, a row has that as `cot_prompt`, without the note that stands before it.
 */
export const readBbh: BenchmarkReader = async function* ({ path, tasks }) {
  const files = await findFiles(path, {
    isWanted: (name) => name.endsWith('.json') || /(^|\/)cot-prompts\/[^/]+\.txt$/.test(name),
    expected: 'files like boolean_expressions.json, and perhaps a folder cot-prompts',
  });
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
};

const withoutNote = (text: string): string => text.replace(/^[\s\S]*?\n-----\n/, '').trim();

const step = "Let's think step by step.";

/** BIG-Bench-Hard, asked for the answer alone. Of a chain-of-thought prompt its answers are what stays. */
export const bbhTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: `Q: ${requiredText(row, 'input')}\nA:`,
    header: ' ',
    response: requiredText(row, 'target'),
  }),
  description: (row) => before(withoutReasoning(optionalText(row, 'cot_prompt'))),
  group: taskOf,
};

/** BIG-Bench-Hard, asked to reason first, after the worked examples that the benchmark has for each task. */
export const bbhCotTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: `Q: ${requiredText(row, 'input')}\nA: ${step}`,
    header: '\n',
    response: requiredText(row, 'target'),
  }),
  description: (row) => before(optionalText(row, 'cot_prompt')),
  group: taskOf,
};

function taskOf(row: JsonObject): string {
  return optionalText(row, 'task');
}

function before(prompt: string): string {
  return prompt === '' ? '' : `${prompt}\n\n`;
}

/** `A: Let's think step by step. ... So the answer is X.` becomes `A: X`. */
function withoutReasoning(prompt: string): string {
  return prompt
    .split(/\n\n(?=Q: )/)
    .map((part) =>
      part.replace(/\nA: Let's think step by step\.[\s\S]*the answer is ([\s\S]*?)\.?$/, '\nA: $1'),
    )
    .join('\n\n');
}

/** BIG-Bench-Hard's: the answer, or what stands after `the answer is` in it, without a full stop, equals the target. */
export const bbhMatch: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response, expected }) => plainly(expected.includes(finalAnswer(response.response ?? '')) ? 1 : 0),
};
