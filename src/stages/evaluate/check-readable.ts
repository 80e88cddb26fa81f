import { UserError } from '../../user-error.ts';
import type { ResponseRecord } from '../ports/response-record.ts';
import type { RatedResponse, ReadableField } from './metrics/metric.ts';

interface Readable {
  /** One of them has to be there. */
  readonly fields: readonly (keyof ResponseRecord)[];
  /** What responses without the field were, as the end of a sentence. */
  readonly lack: string;
  readonly help: string;
}

const modeHelp = (mode: string) =>
  `set \`mode: ${mode}\` in the generate stage that they come from, or choose other metrics`;

const readable: Readonly<Record<ReadableField, Readable>> = {
  text: { fields: ['response'], lack: 'were rated, not answered', help: modeHelp('text') },
  score: { fields: ['log_likelihood'], lack: 'were answered, not rated', help: modeHelp('score') },
  choices: { fields: ['choices'], lack: 'were not chosen from candidates', help: modeHelp('choices') },
  rolling: { fields: ['words'], lack: 'were not rated as whole texts', help: modeHelp('rolling') },
  verdict: { fields: ['response', 'choices'], lack: 'hold no verdict', help: modeHelp('choices') },
  row: { fields: ['fields'], lack: 'have no row', help: 'give the metric records' },
  program: { fields: ['passed'], lack: 'were never run', help: 'let the stage `execute` run them first' },
};

interface Asked {
  readonly name: string;
  readonly reads: ReadableField;
  readonly rated: readonly RatedResponse[];
}

/** Refuses responses that have not got what a metric looks at. */
export function checkReadable({ name, reads, rated }: Asked): void {
  const { fields, lack, help } = readable[reads];
  const without = rated.filter(({ response }) => fields.every((field) => response[field] === undefined));
  if (without.length === 0) return;
  throw new UserError({
    code: 'wrong-mode',
    message: `the metric \`${name}\` cannot be taken: ${without.length} of ${rated.length} responses ${lack}`,
    help,
  });
}
