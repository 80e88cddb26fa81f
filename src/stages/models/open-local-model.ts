import { readEndTokens } from '../../model/folder/end-tokens.ts';
import { type LanguageModel, openLanguageModel } from '../../model/language-model.ts';
import type { StageAction } from '../../runtime/stage/stage-action.ts';
import type { StageHost } from '../../runtime/stage/stage-definition.ts';
import { openTensorBackend, type TensorBackendInfo } from '../../tensor/index.ts';
import { openTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import { UserError } from '../../user-error.ts';
import { chosenBackend } from './chosen-backend.ts';
import { endpointModel } from './endpoint-model.ts';

/** A model in this process, with the tokenizer from its own folder. */
export interface LocalModel extends Disposable {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly tensorBackend: TensorBackendInfo;
  /** The ids that end an answer, by the model's own configuration. */
  readonly endTokens: readonly number[];
}

/** Where a model is to compute, and who hears of it. */
export interface Place {
  readonly resources: StageAction['resources'];
  readonly host: StageHost;
}

/** Loads a model's folder onto the tensor backend that `resources` asks for. */
export async function openLocalModel(folder: string, { resources, host }: Place): Promise<LocalModel> {
  const served = await endpointModel(folder);
  if (served !== undefined)
    throw new UserError({
      code: 'endpoint-model',
      message: `the model \`${served}\` stands behind an endpoint, which keeps its weights to itself`,
      help: 'take a model that was loaded from a folder or made with `init`',
    });
  const tokenizer = await openTokenizer(folder);
  const tensorBackend = await openTensorBackend({
    ...chosenBackend(resources),
    onNote: (message) => host.report({ type: 'note', level: 'info', message }),
  });
  const model = await openLanguageModel(folder);
  if (tokenizer.vocabularySize > model.config.vocabularySize)
    throw new UserError({
      code: 'vocabulary-mismatch',
      message: `the tokenizer in ${folder} has ${tokenizer.vocabularySize} tokens, its model ${model.config.vocabularySize}`,
      help: 'a model works only with the tokenizer that it was trained with',
    });
  const endTokens = await readEndTokens(folder);
  return { model, tokenizer, tensorBackend, endTokens, [Symbol.dispose]: () => model.dispose() };
}
