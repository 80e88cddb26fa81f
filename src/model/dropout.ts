import { UserError } from '../core/index.ts';
import type { ModelConfig } from './model-config.ts';

/** The shares of elements that are left out in training, by the kind of place. */
interface OwnDropout {
  readonly embedding: number;
  readonly attention: number;
  readonly residual: number;
}

/** Place -> the field of config.json that says its rate. */
const fields = {
  gpt2: { embedding: 'embd_pdrop', attention: 'attn_pdrop', residual: 'resid_pdrop' },
  llama: { embedding: 'embd_pdrop', attention: 'attention_dropout', residual: 'resid_pdrop' },
} as const;

/** What transformers' configurations mean where a field is absent. */
const absent = { gpt2: 0.1, llama: 0 } as const;

/** The dropout rates with which transformers would train the model: those of its config.json. */
export function ownDropout({ family, json }: ModelConfig): OwnDropout {
  const rate = (name: string): number => {
    const value = json[name] ?? absent[family];
    if (typeof value === 'number' && value >= 0 && value < 1) return value;
    throw new UserError({
      code: 'unsupported-model',
      message: `the model's config.json has ${JSON.stringify(value)} as \`${name}\`: a number from 0 to below 1 is needed`,
      help: 'leave out `dropout: model`, and give the rates themselves',
    });
  };
  const { embedding, attention, residual } = fields[family];
  return { embedding: rate(embedding), attention: rate(attention), residual: rate(residual) };
}

/** The fields of config.json that ask for dropout, as it has them: `embd_pdrop 0.1`. */
export function statedDropout({ family, json }: ModelConfig): readonly string[] {
  return Object.values(fields[family]).flatMap((name) => (json[name] ? [`${name} ${json[name]}`] : []));
}
