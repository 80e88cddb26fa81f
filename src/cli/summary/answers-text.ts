import { labelledText } from '../terminal/labelled-text.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import type { ComparedAnswer } from './run-summary.ts';

const MOST_CHARACTERS = 240;

/** A few prompts with what was expected and what each stage gave. */
export function answersText(answers: readonly ComparedAnswer[], terminal: Terminal): string {
  return answers.map((answer) => answerText(answer, terminal)).join('\n');
}

function answerText({ question, expected, given }: ComparedAnswer, terminal: Terminal): string {
  const lines = [
    { label: 'expected', text: short(expected) },
    ...given.map(({ stage, response }) => ({ label: stage, text: short(response) })),
  ];
  const asked = wrapText(short(question), { columns: terminal.columns, indent: '  ' });
  return `${asked}\n${labelledText(lines, { terminal, indent: '    ' })}`;
}

function short(text: string): string {
  const safe = safeText(text.trim()) || '(nothing)';
  return safe.length > MOST_CHARACTERS ? `${safe.slice(0, MOST_CHARACTERS - 1)}…` : safe;
}
