import { type JsonObject, UserError } from '../../core/index.ts';
import { unweighted } from '../../metrics/index.ts';
import { optionalText, requiredText } from '../../text/index.ts';
import type { Benchmark, Example, Scorer } from '../benchmark.ts';
import type { BenchmarkFile } from '../benchmark-file.ts';
import { meanScore } from '../benchmark-scores.ts';
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
import { textList, textsIn } from '../row-fields.ts';
import { conversationText } from './conversation-text.ts';
import {
  fuzzyF1,
  fuzzyMatch,
  includes,
  includesAnyCase,
  jsonMatch,
  type Matcher,
  startsWith,
} from './matchers.ts';
import { modelGraded, writeGraderPrompt } from './model-graded.ts';
import { readRegistry } from './registry.ts';

/** OpenAI Evals (github.com/openai/evals): its basic templates and its model-graded evals. */
export const openaiEvals: Benchmark = {
  name: 'openai_evals',
  layout: {
    records: "a registry's folder; `tasks` names the evals",
    fields: "the sample's fields, `eval`, `template`, `grader`",
  },
  read: readRegistry,
  templates: {
    openai_evals: {
      source: "evals' text for completion models; use `template: chat` for chat models",
      write: writeSample,
    },
    'openai-evals-grade': { source: "the spec of the eval's grader, for a judge", write: writeGraderPrompt },
  },
  metrics: {
    openai_evals: {
      better: 'higher',
      reads: 'text',
      measures:
        'The share of answers that match an ideal one, by the template of the eval: match, includes, fuzzy or json.',
      source: "OpenAI Evals' basic templates",
      scoreOne: ({ response, expected }) => {
        const { template, ideal, ignore_case: anyCase } = response.fields;
        const matches =
          template === 'includes' && anyCase === true ? includesAnyCase : matchers.get(String(template));
        if (matches === undefined) return undefined;
        const ideals = typeof ideal === 'string' ? [ideal] : (textsIn(ideal) ?? expected);
        return unweighted(ideals.some((one) => matches(response.response ?? '', one)) ? 1 : 0);
      },
      leftOutReason: () => 'its row has no `template` that compares texts (match, includes, fuzzy, json)',
    },
    model_graded: modelGraded,
  },
  scorers: {
    'openai-evals/match': scorerOf({ summary: 'begins with an answer', matches: startsWith }),
    'openai-evals/includes': scorerOf({ summary: 'contains an answer', matches: includes }),
    'openai-evals/includes-any-case': scorerOf({
      summary: 'the same, in any case',
      matches: includesAnyCase,
    }),
    'openai-evals/fuzzy': scorerOf({ summary: 'like an answer, and F1', matches: fuzzyMatch, hasF1: true }),
    'openai-evals/json': scorerOf({
      summary: 'the same JSON as an answer',
      matches: jsonMatch,
      isJson: true,
    }),
  },
};

/** A row's `template` -> how its answers compare. */
const matchers: ReadonlyMap<string, Matcher> = new Map([
  ['match', startsWith],
  ['includes', includes],
  ['fuzzy', fuzzyMatch],
  ['json', jsonMatch],
]);

/** For models that complete text: a conversation is written with `User:` and `Assistant:`. */
function writeSample(row: JsonObject): Example {
  return {
    prompt: Array.isArray(row.input)
      ? conversationText(row.input, { isOpen: true })
      : requiredText(row, 'input'),
    header: '',
    response: Array.isArray(row.ideal) ? (textList(row, 'ideal')[0] ?? '') : optionalText(row, 'ideal'),
  };
}

interface BasicTemplate {
  readonly summary: string;
  readonly matches: Matcher;
  /** Whether the template reports F1 as well. */
  readonly hasF1?: boolean;
  /** Whether ideal answers are JSON texts. */
  readonly isJson?: boolean;
}

/** A completion is right if it matches one ideal answer of its sample. */
function scorerOf({ summary, matches, hasF1, isJson = false }: BasicTemplate): Scorer {
  return {
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
  };
}

interface Sample {
  readonly completion: string;
  readonly ideals: readonly string[];
}

interface SampleFiles {
  /** Lines {input, ideal}; ideal is a text or a list of texts. */
  readonly samples: BenchmarkFile;
  /** Lines {index, completion}; index counts the samples from 0. */
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
