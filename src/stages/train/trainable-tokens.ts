import { UserError } from '../../core/index.ts';
import type { TrainConfig } from '../../generated/train-config.ts';
import { readNewTokens } from '../../model/index.ts';
import type { Tokenizer } from '../../text/index.ts';

/** The ids of `trainable_tokens` in a model's folder; undefined without the field. Throws a UserError that lists all unknown names. */
export async function trainableTokens(
  { trainable_tokens: given }: Pick<TrainConfig, 'trainable_tokens'>,
  { tokenizer, folder }: { readonly tokenizer: Tokenizer; readonly folder: string },
): Promise<readonly number[] | undefined> {
  if (given === undefined) return undefined;
  if (given === 'new') {
    const added = await readNewTokens(folder);
    if (added !== undefined) return [...added.ids.values()];
    throw new UserError({
      code: 'no-new-tokens',
      message: '`trainable_tokens: new` trains the tokens that `load` added, and it added none to this model',
      help: 'name them under `add_tokens` or `add_special_tokens` in `load`, or list tokens here',
    });
  }
  const found = given.map((token) => [token, idOf(token, tokenizer)] as const);
  const unknown = found.flatMap(([token, id]) => (id === undefined ? [`\`${token}\``] : []));
  if (unknown.length > 0)
    throw new UserError({
      code: 'unknown-token',
      message: `\`trainable_tokens\` has ${unknown.join(', ')}, which the model's vocabulary has no single token for`,
      help: 'a token is written as it is in the vocabulary; `load` adds new ones (`add_tokens`)',
    });
  return found.flatMap(([, id]) => (id === undefined ? [] : [id]));
}

function idOf(token: string, { specialTokens, encode }: Tokenizer): number | undefined {
  const special = specialTokens.get(token);
  if (special !== undefined) return special;
  try {
    const ids = encode(token);
    return ids.length === 1 ? ids[0] : undefined;
  } catch {
    return undefined; // the vocabulary has nothing at all for it
  }
}

/** How many rows of each table `trainable_tokens` trains, without a tokenizer; undefined without the field. */
export async function trainableTokenCount(
  { trainable_tokens: given }: Pick<TrainConfig, 'trainable_tokens'>,
  folder: string,
): Promise<number | undefined> {
  if (given !== 'new') return given?.length;
  return (await readNewTokens(folder))?.ids.size ?? 0;
}
