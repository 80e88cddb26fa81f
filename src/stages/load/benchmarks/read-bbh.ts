import { readFile } from 'node:fs/promises';
import { fieldOf, itemsOf, textOf } from '../../evaluate/benchmarks/files/located.ts';
import { readJson } from '../../evaluate/benchmarks/files/read-json.ts';
import type { BenchmarkReader } from './benchmark-row.ts';
import { findFiles, stemOf } from './find-files.ts';
import { wantedTasks } from './wanted-tasks.ts';

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
