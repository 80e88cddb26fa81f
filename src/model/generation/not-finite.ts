import { UserError } from '../../user-error.ts';

/** The refusal of a model that computes NaN for a record, which would otherwise look like an answer. */
export function notFinite(id: string): UserError {
  return new UserError({
    code: 'model-not-finite',
    message: `the model computes no numbers for record ${id}: its weights hold NaN or infinity`,
    help: 'look at where its weights come from',
    records: [{ id }],
  });
}
