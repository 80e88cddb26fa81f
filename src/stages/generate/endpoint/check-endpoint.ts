import type { GenerateConfig } from '../../../generated/generate-config.ts';
import type { ConfigProblem } from '../../../runtime/stage/stage-definition.ts';
import { addressProblem } from './endpoint-address.ts';

/** Finds a wrong address while the pipeline is checked, before it is stored anywhere. */
export function checkEndpoint({ endpoint }: GenerateConfig): readonly ConfigProblem[] {
  const problem = endpoint.base_url === undefined ? undefined : addressProblem(endpoint.base_url);
  if (problem === undefined) return [];
  return [{ ...problem, pointer: '/endpoint/base_url', message: `\`base_url\` ${problem.message}` }];
}
