import { UserError } from '../../user-error.ts';
import type { ResponseRecord } from '../ports/response-record.ts';
import type { RatedResponse, ReadableField } from './metrics/metric.ts';

interface Readable {
  readonly field: keyof ResponseRecord;
  /** What responses without the field were, as the end of a sentence. */
  readonly lack: string;
  readonly help: string;
}

const modeHelp = (mode: string) =>
  `set \`mode: ${mode}\` in the generate stage that they come from, or choose other metrics`;

const readable: Readonly<Record<ReadableField, Readable>> = {
  text: { field: 'response', lack: 'were rated, not answered', help: modeHelp('text') },
  score: { field: 'log_likelihood', lack: 'were answered, not rated', help: modeHelp('score') },
  choices: { field: 'choices', lack: 'were not chosen from candidates', help: modeHelp('choices') },
  rolling: { field: 'words', lack: 'were not rated as whole texts', help: modeHelp('rolling') },
  program: { field: 'passed', lack: 'were never run', help: 'let the stage `execute` run them first' },
};

interface Asked {
  readonly name: string;
  readonly reads: ReadableField;
  readonly rated: readonly RatedResponse[];
}

/** Refuses responses that have not got what a metric looks at. */
export function checkReadable({ name, reads, rated }: Asked): void {
  const { field, lack, help } = readable[reads];
  const without = rated.filter(({ response }) => response[field] === undefined);
  if (without.length === 0) return;
  throw new UserError({
    code: 'wrong-mode',
    message: `the metric \`${name}\` cannot be taken: ${without.length} of ${rated.length} responses ${lack}`,
    help,
  });
}
