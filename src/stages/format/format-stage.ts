import type { FormatConfig } from '../../generated/format-config.ts';
import { declareStage } from '../declare-stage.ts';
import { checkTemplate } from './check-template.ts';

/** Writes each row as the text that the model reads: a prompt, a header and a response. */
export const formatStage = declareStage<FormatConfig>({
  name: 'format',
  version: 1,
  ports: () => ({
    inputs: { records: { accepts: ['records', 'responses'], required: true, parts: 'each' } },
    outputs: { records: { type: 'records' } },
  }),
  check: checkTemplate,
  recordsPort: 'records',
  process: 'inline',
  device: 'none',
  load: () => import('./run-format.ts'),
});
