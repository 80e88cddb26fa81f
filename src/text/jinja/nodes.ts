import type { BinaryOperator } from './arithmetic.ts';
import type { Comparison } from './comparison.ts';
import type { Value } from './values.ts';

/** An expression, with the template's line it stands on. */
export type Expression = { readonly line: number } & (
  | { readonly kind: 'constant'; readonly value: Value }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'list' | 'tuple'; readonly items: readonly Expression[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [key: Expression, value: Expression])[] }
  | { readonly kind: 'attribute'; readonly object: Expression; readonly name: string }
  | { readonly kind: 'item'; readonly object: Expression; readonly key: Expression }
  | {
      readonly kind: 'slice';
      readonly object: Expression;
      readonly start: Expression | undefined;
      readonly stop: Expression | undefined;
      readonly step: Expression | undefined;
    }
  | { readonly kind: 'call'; readonly callee: Expression; readonly args: CallArguments }
  | {
      readonly kind: 'filter';
      readonly input: Expression;
      readonly name: string;
      readonly args: CallArguments;
    }
  | { readonly kind: 'test'; readonly input: Expression; readonly name: string; readonly args: CallArguments }
  | { readonly kind: 'unary'; readonly operator: 'not' | '-' | '+'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator | 'and' | 'or';
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'concat'; readonly parts: readonly Expression[] }
  | {
      readonly kind: 'compare';
      readonly first: Expression;
      readonly others: readonly {
        readonly operator: ComparisonOperator;
        readonly operand: Expression;
      }[];
    }
  | {
      readonly kind: 'conditional';
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression | undefined;
    }
);

export type ComparisonOperator = Comparison | '==' | '!=' | 'in' | 'not in';

export interface CallArguments {
  readonly positional: readonly Expression[];
  readonly named: readonly (readonly [name: string, value: Expression])[];
  /** `*list` and `**dict`. */
  readonly list: Expression | undefined;
  readonly dict: Expression | undefined;
}

/** What is assigned to: a name, `namespace.name`, or a tuple of them. */
export type Target =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'field'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'tuple'; readonly targets: readonly Target[] };

export interface Signature {
  readonly parameters: readonly { readonly name: string; readonly otherwise: Expression | undefined }[];
}

export type Statement = { readonly line: number } & (
  | { readonly kind: 'text'; readonly text: string }
  /** `source` is the expression as the template spells it. */
  | { readonly kind: 'output'; readonly expression: Expression; readonly source: string }
  | {
      readonly kind: 'if';
      readonly branches: readonly { readonly condition: Expression; readonly body: Body }[];
      readonly otherwise: Body;
    }
  | {
      readonly kind: 'for';
      readonly target: Target;
      readonly iterable: Expression;
      readonly condition: Expression | undefined;
      readonly recursive: boolean;
      readonly body: Body;
      readonly otherwise: Body;
    }
  | { readonly kind: 'break' | 'continue' }
  | { readonly kind: 'set'; readonly target: Target; readonly value: Expression }
  | {
      readonly kind: 'set block';
      readonly target: Target;
      readonly filters: FilterChain;
      readonly body: Body;
    }
  | {
      readonly kind: 'with';
      readonly assignments: readonly { readonly target: Target; readonly value: Expression }[];
      readonly body: Body;
    }
  | ({ readonly kind: 'macro'; readonly name: string; readonly body: Body } & Signature)
  | ({
      readonly kind: 'call block';
      readonly call: Expression & { kind: 'call' };
      readonly body: Body;
    } & Signature)
  | { readonly kind: 'filter block'; readonly filters: FilterChain; readonly body: Body }
  | { readonly kind: 'generation'; readonly body: Body }
);

export type Body = readonly Statement[];

/** Filters in the order in which they are applied. */
export type FilterChain = readonly {
  readonly name: string;
  readonly args: CallArguments;
  readonly line: number;
}[];
