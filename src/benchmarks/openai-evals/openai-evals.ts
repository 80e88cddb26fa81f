import { UserError } from '../../core/index.ts';
import { type Metric, plainly } from '../../metrics/index.ts';
import { optionalText, requiredText } from '../../text/index.ts';
import type { Benchmark, ExampleTemplate } from '../benchmark.ts';
import type { BenchmarkFile } from '../benchmark-file.ts';
import { meanScore } from '../benchmark-scores.ts';
import { conversationText } from '../conversation-text.ts';
import {
  fieldOf,
  itemsOf,
  type Located,
  numberOf,
  placeOf,
  readJsonLines,
  textOf,
  unfit,
} from '../located.ts';
import { textList } from '../row-lists.ts';
import { matchers, textsIn } from '../task-matches.ts';
import { fuzzyF1, includesAnyCase, type Matcher } from './matchers.ts';

interface Template {
  readonly summary: string;
  readonly matches: Matcher;
  /** The template reports F1 as well. */
  readonly hasF1?: boolean;
  /** Ideal answers are JSON texts. */
  readonly isJson?: boolean;
}

/** A basic template of OpenAI Evals: a completion is right if one ideal answer of its sample matches. */
export const openaiEvalsBenchmark = ({ summary, matches, hasF1, isJson = false }: Template): Benchmark => ({
  summary,
  data: { file: 'the samples with ideal answers (JSONL)', example: 'samples.jsonl' },
  predictions: { file: 'index and completion (JSONL)', example: 'completions.jsonl' },
  score: async ({ data, predictions }) => {
    const samples = await readSamples({ samples: data, completions: predictions, isJson });
    const right = samples.map(({ completion, ideals }) =>
      ideals.some((ideal) => matches(completion, ideal)) ? 1 : 0,
    );
    const f1 = samples.map(({ completion, ideals }) => fuzzyF1(completion, ideals));
    return {
      metrics: [
        meanScore({ metric: 'accuracy', values: right }),
        ...(hasF1 ? [meanScore({ metric: 'f1_score', values: f1 })] : []),
      ],
      remarks: [],
    };
  },
});

/** OpenAI Evals for models that complete text: a conversation is written with `User:` and `Assistant:`. */
export const openaiEvalsTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: Array.isArray(row.input)
      ? conversationText(row.input, { isOpen: true })
      : requiredText(row, 'input'),
    header: '',
    response: Array.isArray(row.ideal) ? (textList(row, 'ideal')[0] ?? '') : optionalText(row, 'ideal'),
  }),
};

interface Sample {
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
async function readSamples(files: SampleFiles): Promise<readonly Sample[]> {
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

/** OpenAI Evals' basic templates: the row's own decides how an answer is compared with its `ideal`. */
export const openaiEvalsMatch: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response, expected }) => {
    const { template, ideal, ignore_case: anyCase } = response.fields;
    const matcher =
      template === 'includes' && anyCase === true ? includesAnyCase : matchers[String(template)];
    if (matcher === undefined) return undefined;
    const ideals = typeof ideal === 'string' ? [ideal] : (textsIn(ideal) ?? expected);
    return plainly(ideals.some((one) => matcher(response.response ?? '', one)) ? 1 : 0);
  },
  leftOutReason: () => 'its row has no `template` that compares texts (match, includes, fuzzy, json)',
};
