import type { GenerateConfig } from '../../../generated/generate-config.ts';
import { StageError } from '../../../runtime/stage/stage-error.ts';
import type { Asking } from '../answer-source.ts';

export interface EndpointAsking extends Asking {
  /** The model's name at the endpoint. */
  readonly model: string;
  readonly settings: GenerateConfig['endpoint'];
}

/** Has a model behind an endpoint that speaks OpenAI's protocol answer every request. */
export async function askEndpoint({ model }: EndpointAsking): Promise<void> {
  throw new StageError({ code: 'no-endpoint-client', message: `the model \`${model}\` cannot be asked yet` });
}
