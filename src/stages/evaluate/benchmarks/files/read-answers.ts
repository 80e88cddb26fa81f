import type { BenchmarkFile } from './benchmark-file.ts';
import { fieldsOf, textOf } from './located.ts';
import { readJson } from './read-json.ts';

/** Predictions as SQuAD and TriviaQA take them, `{"<id>": "<answer>"}`: the answers by their ids. */
export async function readAnswers(file: BenchmarkFile): Promise<ReadonlyMap<string, string>> {
  return new Map(fieldsOf(await readJson(file)).map(([id, answer]) => [id, textOf(answer)]));
}
