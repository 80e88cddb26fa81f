import type { FormatConfig } from '../../generated/format-config.ts';
import type { ConfigProblem } from '../../runtime/stage/stage-definition.ts';
import { parseJinja } from '../../text/template/jinja-template.ts';
import { UserError } from '../../user-error.ts';

/** Every source of a user's template that does not parse. */
export function checkTemplate({ template }: FormatConfig): readonly ConfigProblem[] {
  if (typeof template === 'string') return [];
  return Object.entries(template).flatMap(([segment, source]) => {
    try {
      parseJinja(source);
      return [];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const { code, message, help } = error;
      return [{ pointer: `/template/${segment}`, code, message, ...(help === undefined ? {} : { help }) }];
    }
  });
}
