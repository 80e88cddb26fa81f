import { UserError } from '../../../../user-error.ts';
import type { BenchmarkFile } from '../files/benchmark-file.ts';
import { fieldOf, itemsOf, type Located, numberOf, placeOf, textOf, unfit } from '../files/located.ts';
import { readJsonLines } from '../files/read-json.ts';

export interface Sample {
  readonly completion: string;
  readonly ideals: readonly string[];
}

interface SampleFiles {
  /** Lines {input, ideal}, ideal being a text or a list of texts. */
  readonly samples: BenchmarkFile;
  /** Lines {index, completion}; the index counts the samples from 0. */
  readonly completions: BenchmarkFile;
  readonly isJson: boolean;
}

/** Every sample with its completion. */
export async function readSamples(files: SampleFiles): Promise<readonly Sample[]> {
  const completions = new Map<number, string>();
  for (const line of await readJsonLines(files.completions)) {
    const index = numberOf(fieldOf(line, 'index'));
    if (completions.has(index)) throw unfit(fieldOf(line, 'index'), 'an index that no earlier line has');
    completions.set(index, textOf(fieldOf(line, 'completion')));
  }
  const samples = await readJsonLines(files.samples);
  return samples.map((line, index) => {
    const completion = completions.get(index);
    if (completion !== undefined) return { completion, ideals: idealsOf(line, files) };
    throw new UserError({
      code: 'missing-predictions',
      message: `${files.completions.name}: sample ${index} (${placeOf(line)}) has no completion`,
      help: 'a line is {"index": 0, "completion": "..."}, and the index counts the samples from 0',
    });
  });
}

function idealsOf(line: Located, { isJson }: SampleFiles): readonly string[] {
  const ideal = fieldOf(line, 'ideal');
  const ideals = Array.isArray(ideal.value) ? itemsOf(ideal) : [ideal];
  return ideals.map((one) => {
    const text = textOf(one);
    if (isJson && !isJsonText(text)) throw unfit(one, 'a text that is JSON');
    return text;
  });
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
