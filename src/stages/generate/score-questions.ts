import { scoreTexts, type TextScore, type TextToScore } from '../../model/generation/score-texts.ts';
import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import type { LocalModel } from '../models/open-local-model.ts';
import type { Question } from './question.ts';

export interface QuestionScoring {
  readonly questions: readonly Question[];
  readonly batchSize: number;
  readonly signal: AbortSignal;
  readonly onScore: (score: TextScore) => void;
}

/** Rates what each record holds after its prompt, and the end of text after it where it has no end of its own. */
export async function scoreQuestions(
  { model, tokenizer }: LocalModel,
  scoring: QuestionScoring,
): Promise<void> {
  const { questions, batchSize, signal, onScore } = scoring;
  const texts = questions.map((question) => textToScore(question, tokenizer));
  for await (const score of scoreTexts({ model, texts, batchSize, signal })) onScore(score);
}

/** The text is encoded as a whole, as for training; what is rated begins where its tokens are no longer the prompt's. */
function textToScore({ id, given: prompt, rest, ended }: Question, tokenizer: Tokenizer): TextToScore {
  const { encode, endOfText } = tokenizer;
  const given = encode(prompt);
  const whole = encode([...prompt, ...rest]);
  const differs = whole.findIndex((token, index) => token !== given[index]);
  const from = differs === -1 ? whole.length : differs;
  // Without a prompt the end of the text before is what the first token follows.
  const before = from === 0 ? [endOfText] : [];
  const after = ended ? [] : [endOfText];
  return { id, tokens: Int32Array.of(...before, ...whole, ...after), from: from + before.length };
}
