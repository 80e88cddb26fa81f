import { createRequire } from 'node:module';
import { UserError } from '../../core/index.ts';

/** Whether a regular expression is found in a text. */
export type LinearPattern = (text: string) => boolean;

/**
 * Compiles a regular expression of RE2's syntax, which takes time in proportion to the text's length whatever the
 * expression and the text are. Throws a UserError for another syntax. The package is loaded only when it is needed:
 * every command loads the stage's declaration.
 */
export function linearPattern(source: string): LinearPattern {
  const { RE2JS }: typeof import('re2js') = createRequire(import.meta.url)('re2js');
  try {
    const pattern = RE2JS.compile(source);
    return (text) => pattern.matcher(text).find();
  } catch (cause) {
    throw new UserError({
      code: 'bad-pattern',
      message: `\`${source}\` is not a regular expression of RE2: ${cause instanceof Error ? cause.message : cause}`,
      help: 'RE2 has no look-around, no back-references and no possessive repetition; write it without, or as two rules',
      cause,
    });
  }
}
