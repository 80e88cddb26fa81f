import { UserError } from '../../user-error.ts';

/** A checkpoint that does not hold to TensorFlow's format, or is of another model than its hparams.json says. */
export const badCheckpoint = (path: string, what: string): UserError =>
  new UserError({
    code: 'bad-checkpoint',
    message: `${path} ${what}`,
    help: 'the files may be cut short or of different models; fetch them again',
  });
