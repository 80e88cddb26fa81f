import { type JsonObject, UserError } from '../core/index.ts';
import { readDelimitedRows } from '../formats/index.ts';
import { optionalText, requiredText } from '../text/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource, ExampleTemplate } from './benchmark.ts';
import { labelText, textList } from './row-fields.ts';
import { findFiles, stemOf, wantedTasks } from './task-files.ts';

/** MMLU (Hendrycks et al., Measuring Massive Multitask Language Understanding, 2021). */
export const mmlu: Benchmark = {
  name: 'mmlu',
  layout: {
    records: 'a folder with `<subject>_<split>.csv`, with letters or with a header row and numbers',
    fields: '`question`, `choices`, `answer` (from 0), `subject`, `category`',
  },
  defaultSplit: 'test',
  read: readSubjects,
  templates: {
    mmlu: {
      // Its format_subject puts a space before every word.
      source: 'the original evaluate.py, with two spaces after `about`',
      ...questionTemplate({ about: (subject) => ` ${subject}`, question: (text) => text }),
    },
    'mmlu-harness': {
      source: 'lm-evaluation-harness, with one space and no white space around the question',
      ...questionTemplate({ about: (subject) => subject, question: (text) => text.trim() }),
    },
  },
};

const columns = ['question', 'A', 'B', 'C', 'D', 'answer'];

/**
 * MMLU's `<subject>_<split>.csv`: question, four choices and the right one. Both layouts: without a header and with a
 * letter (the original), or with a header row and a number from 0.
 */
async function* readSubjects({ path, split, tasks }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  const ending = `_${split}.csv`;
  const files = await findFiles(path, {
    isWanted: (name) => name.endsWith(ending),
    expected: `files like abstract_algebra${ending}`,
  });
  const subjects = new Map(files.map((file) => [stemOf(file.name).slice(0, -ending.length + 4), file.path]));
  for (const [subject, file] of wantedTasks(subjects, tasks)) yield* readSubject({ file, subject, split });
}

interface Subject {
  readonly file: string;
  /** Empty if a single file was given: its name says nothing. */
  readonly subject: string;
  readonly split: string;
}

async function* readSubject({ file, subject, split }: Subject): AsyncGenerator<BenchmarkRow> {
  let count = 0;
  for await (const { line, row } of readDelimitedRows(file, { type: 'csv', columns })) {
    if (count === 0 && row.answer === 'answer') continue;
    const answer = answerOf(row.answer ?? '', `${file}:${line}`);
    yield {
      id: [subject, split, count].filter((part) => part !== '').join('/'),
      row: {
        question: row.question ?? '',
        choices: [row.A ?? '', row.B ?? '', row.C ?? '', row.D ?? ''],
        answer,
        ...(subject === '' ? {} : { subject, category: categoryOf(subject) }),
      },
      place: { path: file, line },
    };
    count += 1;
  }
}

function answerOf(text: string, place: string): number {
  const index = /^[A-D]$/.test(text) ? 'ABCD'.indexOf(text) : /^[0-3]$/.test(text) ? Number(text) : -1;
  if (index !== -1) return index;
  throw new UserError({
    code: 'bad-answer',
    message: `${place}: the answer is ${JSON.stringify(text)}; it must be a letter from A to D, or a number from 0 to 3`,
  });
}

const letters = ['A', 'B', 'C', 'D'];

interface Variant {
  /** The subject's words after `about`. */
  readonly about: (subject: string) => string;
  readonly question: (text: string) => string;
}

/** MMLU's question with four letters to choose from, after shots of the same subject. */
function questionTemplate({ about, question }: Variant): ExampleTemplate {
  return {
    write: (row) => ({
      prompt: [
        question(requiredText(row, 'question')),
        ...textList(row, 'choices').map((choice, index) => `${letters[index] ?? '?'}. ${choice}`),
        'Answer:',
      ].join('\n'),
      header: ' ',
      response: letters[Number(labelText(row, 'answer'))] ?? '',
      choices: letters,
    }),
    description: (row) =>
      `The following are multiple choice questions (with answers) about ${about(words(row))}.\n\n`,
    group: subjectOf,
  };
}

function subjectOf(row: JsonObject): string {
  return optionalText(row, 'subject');
}

const words = (row: JsonObject): string => subjectOf(row).replaceAll('_', ' ');

/** The 57 subjects by their categories, from the benchmark's categories.py. */
const categories: Readonly<Record<string, string>> = {
  STEM: `
    abstract_algebra astronomy college_biology college_chemistry college_computer_science
    college_mathematics college_physics computer_security conceptual_physics electrical_engineering
    elementary_mathematics high_school_biology high_school_chemistry high_school_computer_science
    high_school_mathematics high_school_physics high_school_statistics machine_learning`,
  humanities: `
    formal_logic high_school_european_history high_school_us_history high_school_world_history
    international_law jurisprudence logical_fallacies moral_disputes moral_scenarios philosophy
    prehistory professional_law world_religions`,
  'social sciences': `
    econometrics high_school_geography high_school_government_and_politics high_school_macroeconomics
    high_school_microeconomics high_school_psychology human_sexuality professional_psychology
    public_relations security_studies sociology us_foreign_policy`,
  'other (business, health, misc.)': `
    anatomy business_ethics clinical_knowledge college_medicine global_facts human_aging management
    marketing medical_genetics miscellaneous nutrition professional_accounting professional_medicine
    virology`,
};

const bySubject = new Map(
  Object.entries(categories).flatMap(([category, subjects]) =>
    subjects
      .trim()
      .split(/\s+/)
      .map((subject) => [subject, category] as const),
  ),
);

/** A subject's category; `other` for one that is not in MMLU. */
const categoryOf = (subject: string): string => bySubject.get(subject) ?? 'other';
