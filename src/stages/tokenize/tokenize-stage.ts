import type { TokenizeConfig } from '../../generated/tokenize-config.ts';
import type { InputPort } from '../../runtime/index.ts';
import { dataStage, declareStage } from '../declare-stage.ts';

const records: InputPort = { accepts: ['records'], required: true, parts: 'each' };
const tokenizer: InputPort = {
  accepts: ['tokenizer'],
  required: true,
  parts: 'one',
  help: 'or name an encoding under `with`, such as `encoding: r50k_base`',
};

/** Turns formatted records into token ids. */
export const tokenizeStage = declareStage<TokenizeConfig>({
  name: 'tokenize',
  version: 2,
  ports: ({ encoding }) => ({
    inputs: encoding === undefined ? { records, tokenizer } : { records },
    outputs: { tokens: { type: 'tokens' } },
  }),
  recordsPort: 'records',
  ...dataStage,
  load: () => import('./run-tokenize.ts'),
});
