import type { LanguageModel } from '../../model/language-model.ts';
import { namePattern } from '../../model/name-pattern.ts';
import { UserError } from '../../user-error.ts';

type Parameters = LanguageModel['parameters'];

/**
 * The parameters that patterns choose: those that one of them names, but for those that one with a `!` before it names.
 * Throws where a pattern names none, or all of them together choose none.
 */
export function trainableParameters(parameters: Parameters, patterns: readonly string[]): Parameters {
  const names = [...parameters.keys()];
  const rules = patterns.map((pattern) => {
    const matches = namePattern(pattern.replace(/^!/, ''));
    if (!names.some(matches)) throw noParameter(pattern, names);
    return { takesOut: pattern.startsWith('!'), matches };
  });
  const isNamed = (name: string, takesOut: boolean) =>
    rules.some((rule) => rule.takesOut === takesOut && rule.matches(name));
  const chosen = [...parameters].filter(([name]) => isNamed(name, false) && !isNamed(name, true));
  if (chosen.length === 0)
    throw new UserError({
      code: 'nothing-trainable',
      message: `\`trainable\` chooses none of the model's ${names.length} parameters`,
      help: 'begin with a pattern that does: trainable: ["*", "!transformer.wte.weight"]',
    });
  return new Map(chosen);
}

function noParameter(pattern: string, names: readonly string[]): UserError {
  const shown = names.slice(0, 4).map((name) => `\`${name}\``);
  return new UserError({
    code: 'unknown-parameter',
    message: `\`trainable\` has \`${pattern}\`, and no parameter of the model is called so`,
    help: `\`*\` stands for any characters; the model's ${names.length} parameters begin with ${shown.join(', ')}`,
  });
}
