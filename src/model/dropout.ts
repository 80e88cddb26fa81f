import { UserError } from '../core/index.ts';
import { familyOf, type ModelConfig } from './model-config.ts';

/** The dropout rates with which transformers would train the model: those of its config.json. */
export function configDropout(config: ModelConfig): {
  readonly embedding: number;
  readonly attention: number;
  readonly residual: number;
} {
  const { fields, absent } = familyOf(config).dropout;
  const rate = (name: string): number => {
    const value = config.json[name] ?? absent;
    if (typeof value === 'number' && value >= 0 && value < 1) return value;
    throw new UserError({
      code: 'unsupported-model',
      message: `the model's config.json has ${JSON.stringify(value)} as \`${name}\`: a number from 0 to below 1 is needed`,
      help: 'leave out `dropout: model`, and set the rates themselves',
    });
  };
  const { embedding, attention, residual } = fields;
  return { embedding: rate(embedding), attention: rate(attention), residual: rate(residual) };
}

/** The fields of config.json that ask for dropout, as text: `embd_pdrop 0.1`. */
export const describeDropout = (config: ModelConfig): readonly string[] =>
  Object.values(familyOf(config).dropout.fields).flatMap((name) =>
    config.json[name] ? [`${name} ${config.json[name]}`] : [],
  );

/** Whether the model has dropout in attention only, and none on embeddings and residuals. */
export const hasAttentionDropoutOnly = (config: ModelConfig): boolean =>
  familyOf(config).dropout.attentionOnly;
