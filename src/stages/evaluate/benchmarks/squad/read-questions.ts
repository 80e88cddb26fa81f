import type { BenchmarkFile } from '../files/benchmark-file.ts';
import { fieldOf, itemsOf, optionalField, textOf } from '../files/located.ts';
import { readJson } from '../files/read-json.ts';

export interface Question {
  readonly id: string;
  /** Empty for a question that the passage does not answer. */
  readonly answers: readonly string[];
}

export interface Questions {
  /** 2.0 marks questions as impossible. */
  readonly version: '1.1' | '2.0';
  readonly questions: readonly Question[];
}

/** Reads SQuAD's own layout: data[].paragraphs[].qas[].{id, answers[].text, is_impossible}. */
export async function readQuestions(file: BenchmarkFile): Promise<Questions> {
  const articles = itemsOf(fieldOf(await readJson(file), 'data'));
  const entries = articles
    .flatMap((article) => itemsOf(fieldOf(article, 'paragraphs')))
    .flatMap((paragraph) => itemsOf(fieldOf(paragraph, 'qas')));
  return {
    version: entries.some((entry) => optionalField(entry, 'is_impossible')) ? '2.0' : '1.1',
    questions: entries.map((entry) => ({
      id: textOf(fieldOf(entry, 'id')),
      answers: itemsOf(fieldOf(entry, 'answers')).map((answer) => textOf(fieldOf(answer, 'text'))),
    })),
  };
}
