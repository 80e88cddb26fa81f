import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { ConfigProblem } from '../../runtime/stage/stage-definition.ts';

/** Several samples of what can only come out in one way. */
export function checkSamples({ samples, temperature, mode }: GenerateConfig): readonly ConfigProblem[] {
  if (samples === 1 || (temperature > 0 && mode === 'text')) return [];
  return [
    {
      pointer: '/samples',
      code: 'equal-samples',
      message:
        mode === 'text'
          ? `\`samples: ${samples}\` with a temperature of 0 would give the same answer ${samples} times`
          : `\`samples\` means nothing with \`mode: ${mode}\``,
      help: mode === 'text' ? 'set a `temperature`, such as 0.8, or leave `samples` out' : 'leave it out',
    },
  ];
}
