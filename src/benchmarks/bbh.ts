import { readFile } from 'node:fs/promises';
import type { JsonObject } from '../core/index.ts';
import { unweighted } from '../metrics/index.ts';
import { optionalText, requiredText } from '../text/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource } from './benchmark.ts';
import { fieldOf, itemsOf, readJson, textOf } from './located.ts';
import { findFiles, stemOf, wantedTasks } from './task-files.ts';

const step = "Let's think step by step.";

/** BIG-Bench-Hard (Suzgun et al., Challenging BIG-Bench Tasks and Whether Chain-of-Thought Can Solve Them, 2022). */
export const bbh: Benchmark = {
  name: 'bbh',
  layout: {
    records: "the repository's folder, or its `bbh`",
    fields: '`task`, `input`, `target`; `cot_prompt` if the folder holds `cot-prompts`',
  },
  read: readExamples,
  templates: {
    bbh: {
      source: "the benchmark's worked examples (`cot_prompt`), with the answers alone",
      write: (row) => ({
        prompt: `Q: ${requiredText(row, 'input')}\nA:`,
        header: ' ',
        response: requiredText(row, 'target'),
      }),
      description: (row) => before(withoutReasoning(optionalText(row, 'cot_prompt'))),
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
};

/**
 * `<task>.json` files, {examples: [{input, target}]}. If the folder also holds `cot-prompts/<task>.txt`, a row has its
 * text as `cot_prompt`, without the note at its beginning.
 */
async function* readExamples({ path, tasks }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
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
}

const withoutNote = (text: string): string => text.replace(/^[\s\S]*?\n-----\n/, '').trim();

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

function finalAnswer(text: string): string {
  const mark = 'the answer is ';
  const at = text.lastIndexOf(mark);
  if (at === -1) return text.trim();
  const [line = ''] = text.slice(at + mark.length).split('\n');
  const answer = line.trim();
  return answer.endsWith('.') ? answer.slice(0, -1) : answer;
}
