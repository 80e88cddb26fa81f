import { join } from 'node:path';

const model = join(import.meta.dirname, '../fixtures/training/tiny-gpt2');

/** The stages of a pipeline that tunes a two-layer model on the texts of rows.json. */
export const tuningStages = (epochs: string | number): string => `stages:
  base:
    uses: load
    with: { model: ${model} }
  load:
    with: { records: rows.json }
  format:
    from: load
    with: { template: completion }
  tokenize:
    from: { records: format, tokenizer: base.tokenizer }
  collate:
    from: tokenize
    with: { batch_size: 3, max_length: 16, train_on: all }
  train:
    from: { model: base, train: collate }
    with: { epochs: ${epochs} }
`;
