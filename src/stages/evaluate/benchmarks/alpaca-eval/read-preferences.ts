import type { BenchmarkFile } from '../files/benchmark-file.ts';
import { itemsOf, numberOf, optionalField } from '../files/located.ts';
import { readJson } from '../files/read-json.ts';

/** The preferences of an annotations file, in its order; undefined where the judge gave none. */
export async function readPreferences(file: BenchmarkFile): Promise<readonly (number | undefined)[]> {
  return itemsOf(await readJson(file)).map((annotation) => {
    const preference = optionalField(annotation, 'preference');
    return preference === undefined ? undefined : numberOf(preference);
  });
}
