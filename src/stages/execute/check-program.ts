import type { ExecuteConfig } from '../../generated/execute-config.ts';
import type { ConfigProblem } from '../../runtime/stage/stage-definition.ts';
import { parseJinja } from '../../text/template/jinja-template.ts';
import { UserError } from '../../user-error.ts';

/** A program template that does not parse. */
export function checkProgram({ program }: ExecuteConfig): readonly ConfigProblem[] {
  try {
    parseJinja(program);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, help } = error;
    return [{ pointer: '/program', code, message, ...(help === undefined ? {} : { help }) }];
  }
}
