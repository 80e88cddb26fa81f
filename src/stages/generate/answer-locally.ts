import type { GenerateConfig } from '../../generated/generate-config.ts';
import { writeTexts } from '../../model/generation/write-texts.ts';
import type { LocalModel } from '../models/open-local-model.ts';
import type { AnswerSource } from './answer-source.ts';

/** Answers with a model in this process, so many prompts at a time. */
export const answerLocally =
  (
    { model, tokenizer, endTokens }: LocalModel,
    { batch_size: batchSize, too_long: tooLong }: Pick<GenerateConfig, 'batch_size' | 'too_long'>,
  ): AnswerSource =>
  async ({ requests, sampling, signal, onAnswer }) => {
    const settings = {
      maxNewTokens: sampling.max_new_tokens,
      temperature: sampling.temperature,
      topK: sampling.top_k,
      topP: sampling.top_p,
      minP: sampling.min_p,
      repetitionPenalty: sampling.repetition_penalty,
      seed: sampling.seed,
      stop: sampling.stop,
      stopTokens: [...endTokens, ...sampling.stop_tokens],
      batchSize,
      cutsPrompts: tooLong === 'cut',
    };
    const prompts = requests.map(({ id, given }) => ({ id, text: given }));
    for await (const text of writeTexts({ model, tokenizer, prompts, settings, signal })) onAnswer(text);
  };
