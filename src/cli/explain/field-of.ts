import type { Difference } from '../../runtime/index.ts';

/** What a person calls a field of a stage's key, as the YAML spells it: `with.optimizer.learning_rate`, `from.train`. */
export function fieldOf(difference: Difference): string {
  switch (difference.kind) {
    case 'config':
    case 'source':
      return `with${difference.pointer.replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~')}`;
    case 'input':
      return `from.${difference.port}${difference.part === undefined ? '' : `.${difference.part}`}`;
    case 'code':
      return `code ${difference.module}`;
    case 'uses':
    case 'version':
    case 'format':
      return difference.kind;
    default:
      return difference satisfies never;
  }
}
