import { UserError } from '../../core/index.ts';

/**
 * A regular expression of Python's `re` that must match a whole name. Throws a UserError if JavaScript would read it
 * otherwise.
 */
export function pythonPattern(source: string): RegExp {
  const difference = source.length > mostCharacters ? 'is too long' : differenceIn(source);
  if (difference !== undefined) throw unreadable(source, difference);
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    throw unreadable(source, 'is not valid');
  }
}

const mostCharacters = 10_000;

/** What Python has and JavaScript reads as something else. */
function differenceIn(source: string): string | undefined {
  const plain = source.replaceAll(/\\[^a-zA-Z]/g, '_');
  if (/\\[^bBdDsSwWfnrtv0-9x]/.test(plain)) return 'has an escape that is not supported';
  if (/\(\?(?![:=!]|<[=!])/.test(plain)) return 'has a group that is not supported';
  if (/[*+?}]\+/.test(plain)) return 'has a possessive quantifier';
  return plain.includes('{,') ? 'has a quantifier without a lower limit' : undefined;
}

const unreadable = (source: string, why: string): UserError =>
  new UserError({
    code: 'bad-pattern',
    message: `the regular expression \`${source.slice(0, 200)}\` ${why}`,
    help: 'name the modules in lists instead',
  });
