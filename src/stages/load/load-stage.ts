import type { LoadConfig } from '../../generated/load-config.ts';
import type { OutputPort } from '../../runtime/stage/stage-definition.ts';
import { declareStage } from '../declare-stage.ts';
import { checkLoad } from './check-load.ts';
import { endpointName } from './model-address.ts';

const model: OutputPort = { type: 'model' };
const tokenizer: OutputPort = { type: 'tokenizer' };

/** Brings rows of data, or a model with its tokenizer, into the pipeline. */
export const loadStage = declareStage<LoadConfig>({
  name: 'load',
  version: 2,
  ports: (config) => ({ inputs: {}, outputs: outputsOf(config) }),
  check: checkLoad,
  process: 'inline',
  device: 'none',
  load: () => import('./run-load.ts'),
  locate: async (search) => (await import('./locate-records.ts')).locateRecords(search),
});

function outputsOf(config: LoadConfig): Readonly<Record<string, OutputPort>> {
  if (config.model === undefined && config.init === undefined) return { records: { type: 'records' } };
  return endpointName(config.model) === undefined ? { model, tokenizer } : { model };
}
