import { binary, negated, positive } from './arithmetic.ts';
import { getAttribute, getItem, slice } from './attributes.ts';
import { compare, contains, equals, isTrue } from './comparison.ts';
import { applyFilter, applyTest } from './filters.ts';
import { growText } from './growth.ts';
import type { CallArguments, ComparisonOperator, Expression, FilterChain } from './nodes.ts';
import { PythonError, typeError } from './python-error.ts';
import { textOf } from './python-text.ts';
import type { Scope } from './scope.ts';
import { iterate } from './sequences.ts';
import { type Args, Callable, Dict, Tuple, textIn, typeName, Undefined, type Value } from './values.ts';

/** The value of an expression. Throws a PythonError with the template's line. */
export function evaluate(expression: Expression, scope: Scope): Value {
  try {
    return valueIn(expression, scope);
  } catch (error) {
    if (error instanceof PythonError) error.line ??= expression.line;
    throw error;
  }
}

function valueIn(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'name': {
      const value = scope.get(expression.name);
      return value === undefined ? new Undefined(`'${expression.name}' is undefined`) : value;
    }
    case 'attribute':
      return getAttribute(evaluate(expression.object, scope), expression.name);
    case 'item':
      return getItem(evaluate(expression.object, scope), evaluate(expression.key, scope));
    case 'slice': {
      const [start, stop, step] = [expression.start, expression.stop, expression.step].map((part) =>
        part === undefined ? null : evaluate(part, scope),
      );
      return slice(evaluate(expression.object, scope), start ?? null, stop ?? null, step ?? null);
    }
    case 'list':
      return expression.items.map((item) => evaluate(item, scope));
    case 'tuple':
      return new Tuple(expression.items.map((item) => evaluate(item, scope)));
    case 'dict':
      return new Dict(
        expression.entries.map(([key, value]) => [evaluate(key, scope), evaluate(value, scope)]),
      );
    case 'call':
      return call(evaluate(expression.callee, scope), argumentsOf(expression.args, scope));
    case 'filter': {
      const input = evaluate(expression.input, scope);
      if (scope.strict) requireValue(input, expression.name);
      return applyFilter(expression.name, input, argumentsOf(expression.args, scope));
    }
    case 'test':
      return applyTest(
        expression.name,
        evaluate(expression.input, scope),
        argumentsOf(expression.args, scope),
      );
    case 'unary': {
      const operand = evaluate(expression.operand, scope);
      if (expression.operator === 'not') return !isTrue(operand);
      return expression.operator === '-' ? negated(operand) : positive(operand);
    }
    case 'binary': {
      const left = evaluate(expression.left, scope);
      if (expression.operator === 'and') return isTrue(left) ? evaluate(expression.right, scope) : left;
      if (expression.operator === 'or') return isTrue(left) ? left : evaluate(expression.right, scope);
      return binary(expression.operator, left, evaluate(expression.right, scope));
    }
    case 'concat': {
      const texts = expression.parts.map((part) => {
        const value = evaluate(part, scope);
        if (scope.strict) requireValue(value, '~');
        return textOf(value);
      });
      growText(texts.reduce((sum, text) => sum + text.length, 0));
      return texts.join('');
    }
    case 'compare': {
      let left = evaluate(expression.first, scope);
      for (const { operator, operand } of expression.others) {
        const right = evaluate(operand, scope);
        if (!holds(operator, left, right)) return false;
        left = right;
      }
      return true;
    }
    case 'conditional':
      if (isTrue(evaluate(expression.condition, scope))) return evaluate(expression.yes, scope);
      if (expression.no !== undefined) return evaluate(expression.no, scope);
      return new Undefined(
        `the inline if-expression on line ${expression.line} evaluated to false and no else section was defined.`,
      );
  }
}

/** Where no text may come from nothing: only these take what has no value. */
function requireValue(value: Value, taker: string): void {
  if (taker === 'default' || taker === 'd') return;
  if (value instanceof Undefined) value.fail();
  if (value === null && taker !== 'tojson') throw typeError(`\`${taker}\` needs a value, not null`);
}

function holds(operator: ComparisonOperator, left: Value, right: Value): boolean {
  if (operator === '==') return equals(left, right);
  if (operator === '!=') return !equals(left, right);
  if (operator === 'in') return contains(right, left);
  return operator === 'not in' ? !contains(right, left) : compare(operator, left, right);
}

export function argumentsOf(args: CallArguments, scope: Scope): Args {
  const positional = args.positional.map((argument) => evaluate(argument, scope));
  const named = new Map(args.named.map(([name, value]) => [name, evaluate(value, scope)]));
  if (args.list !== undefined) positional.push(...iterate(evaluate(args.list, scope)));
  const more = args.dict === undefined ? new Dict() : evaluate(args.dict, scope);
  if (!(more instanceof Dict)) throw typeError(`argument after ** must be a mapping, not ${typeName(more)}`);
  for (const [key, value] of more.entries()) {
    const name = textIn(key);
    if (name === undefined) throw typeError('keywords must be strings');
    if (named.has(name)) throw typeError(`got multiple values for keyword argument '${name}'`);
    named.set(name, value);
  }
  return { positional, named };
}

export function call(callee: Value, args: Args): Value {
  if (callee instanceof Undefined) return callee.fail();
  if (callee instanceof Callable) return callee.call(args);
  if (typeof callee === 'object' && callee !== null && 'call' in callee && callee.call !== undefined)
    return callee.call(args);
  throw typeError(`'${typeName(callee)}' object is not callable`);
}

/** A text with filters applied, as `{% filter %}` and `{% set x | ... %}` do. */
export const applyFilters = (value: Value, filters: FilterChain, scope: Scope): Value =>
  filters.reduce<Value>((input, { name, args }) => applyFilter(name, input, argumentsOf(args, scope)), value);
