import type { SplitConfig } from '../../generated/split-config.ts';
import { declareStage } from '../declare-stage.ts';
import { checkParts } from './check-parts.ts';
import { partsOf } from './parts.ts';

/** Deals records into named parts. */
export const splitStage = declareStage<SplitConfig>({
  name: 'split',
  version: 1,
  ports: (config) => ({
    inputs: { records: { accepts: ['records'], required: true, parts: 'one' } },
    outputs: { records: { type: 'records', parts: partsOf(config).map(({ name }) => name) } },
  }),
  check: checkParts,
  recordsPort: 'records',
  process: 'inline',
  device: 'none',
  load: () => import('./run-split.ts'),
});
