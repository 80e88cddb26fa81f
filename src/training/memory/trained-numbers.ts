import type { TrainConfig } from '../../generated/train-config.ts';
import { loraTargets } from '../../model/lora/lora-targets.ts';
import { parameterCount } from '../../model/memory/training-memory.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { namePattern } from '../../model/name-pattern.ts';
import { parameterLayout } from '../../model/parameter-layout.ts';
import { elementCount } from '../../model/safetensors/tensor-type.ts';

/** How many numbers a training changes: its adapters', or those of the parameters that its patterns choose. */
export function trainedNumbers(
  config: ModelConfig,
  { lora, trainable }: Pick<TrainConfig, 'lora' | 'trainable'>,
): number {
  if (lora !== undefined) return adapterNumbers(config, lora);
  if (trainable === undefined) return parameterCount(config);
  const rules = trainable.map((pattern) => ({
    takesOut: pattern.startsWith('!'),
    matches: namePattern(pattern.replace(/^!/, '')),
  }));
  const isNamed = (name: string, takesOut: boolean) =>
    rules.some((rule) => rule.takesOut === takesOut && rule.matches(name));
  return [...parameterLayout(config)]
    .filter(([name]) => isNamed(name, false) && !isNamed(name, true))
    .reduce((sum, [, { shape }]) => sum + elementCount(shape), 0);
}

type Lora = NonNullable<TrainConfig['lora']>;

function adapterNumbers(config: ModelConfig, { r, targets }: Pick<Lora, 'r' | 'targets'>): number {
  let count = 0;
  for (const { inputWidth, outputWidth } of loraTargets(config, targets).values())
    count += r * (inputWidth + outputWidth);
  return count;
}
