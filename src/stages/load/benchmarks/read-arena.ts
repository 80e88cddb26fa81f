import { isObject } from '../../../text/parse-record.ts';
import { readText } from '../../evaluate/benchmarks/files/benchmark-file.ts';
import { fieldOf, itemsOf, textOf } from '../../evaluate/benchmarks/files/located.ts';
import { readJson, readJsonLines } from '../../evaluate/benchmarks/files/read-json.ts';
import type { BenchmarkReader } from './benchmark-row.ts';

/** Chatbot Arena's battles, a JSON list or JSONL, in their order. */
export const readArena: BenchmarkReader = async function* ({ path }) {
  const file = { path, name: path };
  const isList = (await readText(file)).trimStart().startsWith('[');
  const battles = isList ? itemsOf(await readJson(file)) : await readJsonLines(file);
  for (const [index, battle] of battles.entries()) {
    for (const name of ['model_a', 'model_b', 'winner']) textOf(fieldOf(battle, name));
    yield { id: `arena/${index}`, row: isObject(battle.value) ? battle.value : {} };
  }
};
