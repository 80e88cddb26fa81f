import { expect, test } from 'vitest';

interface Generated {
  readonly text: string | undefined;
  readonly problem: string | undefined;
}

const { configTypes } = await import(
  new URL('../../scripts/generate/config-types.mjs', import.meta.url).href
);

/** The type of a stage whose schema has the fields `a`, `b` (with a default) and `c`, and what is added to it. */
async function typeOf(added: object): Promise<Generated> {
  const properties = { a: { type: 'string' }, b: { type: 'number', default: 2 }, c: { type: 'boolean' } };
  const schema = { type: 'object', additionalProperties: false, properties, ...added };
  const broken: { readonly message: string }[] = [];
  const [file] = await configTypes('', { stages: [{ name: 'mine', schema }], broken });
  return { text: file?.text.replace(/^.*\n\n/, ''), problem: broken[0]?.message };
}

const fields = `{
  readonly a?: string;
  readonly b: number;
  readonly c?: boolean;
}`;

const eitherField = `(
  | {
      readonly a: string;
    }
  | {
      readonly c: boolean;
    }
)`;

test('without combinations the type is an interface', async () => {
  expect(await typeOf({})).toEqual({ text: `export interface MineConfig ${fields}\n`, problem: undefined });
});

test.each(['anyOf', 'allOf'])('%s: a branch that only requires fields has their types', async (keyword) => {
  const either = [{ required: ['a'] }, { required: ['c'] }];
  const added = keyword === 'allOf' ? { allOf: [{ anyOf: either }] } : { [keyword]: either };
  const text = `export type MineConfig = ${eitherField} & ${fields};\n`;
  expect(await typeOf(added)).toEqual({ text, problem: undefined });
});

test('oneOf: branches with fields become a union', async () => {
  const oneOf = [
    { properties: { a: { const: 'x' } }, required: ['a', 'c'] },
    { properties: { a: { const: 'y' } }, required: ['a'] },
  ];
  expect(await typeOf({ oneOf })).toEqual({
    text: `export type MineConfig = ${fields} & (
  | {
      readonly a: 'x';
      readonly c: boolean;
    }
  | {
      readonly a: 'y';
    }
);\n`,
    problem: undefined,
  });
});

test.each([
  ['anyOf', { anyOf: [{ required: ['b'] }, { not: { required: ['a'] } }] }, 2],
  ['oneOf', { oneOf: [{ required: ['unknown'] }, { required: ['b'] }] }, 1],
  ['anyOf', { allOf: [{ anyOf: [{ minProperties: 2 }] }] }, 1],
])('%s: a branch that would allow any field is refused', async (keyword, added, branch) => {
  expect(await typeOf(added)).toEqual({
    text: undefined,
    problem: `branch ${branch} of \`${keyword}\` would allow any field in the generated type: declare the fields that it is about under its \`properties\``,
  });
});
