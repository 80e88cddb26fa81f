import { isList, isObject, type Json } from '../../core/index.ts';

/** `$${`, which stands for `${`; or `${expression}`, or a `${` that is never closed. */
const expressions = /\$\$\{|\$\{([^}]*)(\}?)/g;
const variableName = /^\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*$/;

/** A value with its `${env.NAME}` replaced. */
export interface Substituted<Value> {
  readonly value: Value;
  /** The variables that it names and that are not set or empty; empty texts replace them. */
  readonly unset: readonly string[];
  /** The values of those that are set. */
  readonly named: readonly string[];
}

/** Replaces every `${env.NAME}` in the texts of a value that `badExpressions` finds no fault with. */
export function substituteEnvironment<Value extends Json>(
  value: Value,
  environment: Readonly<Record<string, string | undefined>>,
): Substituted<Value> {
  const unset = new Set<string>();
  const named = new Set<string>();
  const replaced = (text: string): string =>
    text.replace(expressions, (_, inside?: string) => {
      const name = variableName.exec(inside ?? '')?.[1];
      if (name === undefined) return '${';
      const found = environment[name];
      if (found) named.add(found);
      else unset.add(name);
      return found ?? '';
    });
  const visit = (json: Json): Json => {
    if (typeof json === 'string') return replaced(json);
    if (isList(json)) return json.map(visit);
    if (!isObject(json)) return json;
    return Object.fromEntries(Object.entries(json).map(([name, item]) => [name, visit(item)]));
  };
  // Texts stay texts, lists lists and maps maps.
  return { value: visit(value) as Value, unset: [...unset], named: [...named] };
}

/** The expressions of a text that name no environment variable. */
export const badExpressions = (text: string): readonly string[] =>
  [...text.matchAll(expressions)].flatMap(([written, inside, closing]) =>
    inside === undefined || (closing === '}' && variableName.test(inside)) ? [] : [written],
  );

/** Whether a text is one `${env.NAME}` and nothing else. */
export const isOneVariable = (text: string): boolean =>
  /^\$\{[^}]*\}$/.test(text) && badExpressions(text).length === 0;
