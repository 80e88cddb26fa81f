import { isObject } from '../../../text/parse-record.ts';
import { fieldOf, itemsOf, textOf } from '../../evaluate/benchmarks/files/located.ts';
import { readJson } from '../../evaluate/benchmarks/files/read-json.ts';
import type { BenchmarkReader } from './benchmark-row.ts';

/** AlpacaEval's outputs, a JSON list: a row an instruction, with the output of whichever model wrote the file. */
export const readAlpacaEval: BenchmarkReader = async function* ({ path }) {
  for (const [index, item] of itemsOf(await readJson({ path, name: path })).entries()) {
    const instruction = textOf(fieldOf(item, 'instruction'));
    const fields = isObject(item.value) ? item.value : {};
    yield { id: `alpaca_eval/${index}`, row: { ...fields, instruction } };
  }
};
