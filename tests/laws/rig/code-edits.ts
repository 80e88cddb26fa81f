import fc from 'fast-check';

/** Paths of a project to what is there: a text, a link to another path, or nothing. */
export type CodeFiles = Readonly<Record<string, string | { readonly link: string } | undefined>>;

const json = (value: unknown): string => `${JSON.stringify(value)}\n`;
const constant = (value: string): string => `export default '${value}';\n`;

/** The folder that the pipeline names is a link. */
export const entry = 'uses/index.ts';

/** Says, in one text, which of the files that its imports could mean it got. */
const entryText = (lib: string): string => `import x from '#x';
import lib from '${lib}';
import foo from 'foo';
import w from 'w';
import self from 'project/self';
import link from '../../lib/link.js';
import both from '../../lib/both.js';
import common from '../../lib/common.cjs';
const load = async (name: string) => {
  try { return (await import('./data/' + name + '.js')).default; } catch { return 'none'; }
};
export const run = async () => {
  const loaded = await Promise.all(['one', 'sub/two'].map(load));
  return [x, lib, foo, w, self, link, both, typeof common, ...loaded].join(' ');
};
`;

const manifest = (fields: object): string => json({ name: 'project', ...fields });
const imports = (x: unknown) => ({ imports: { '#x': x } });
const exported = (self: string) => ({ exports: { './self': self } });

/** The files of an installed package. A version stands for one content; without one the content is free. */
const installed = (
  folder: string,
  { version, says, needs }: { version?: string; says?: string; needs?: string } = {},
): CodeFiles => {
  const [name = ''] = folder.split('/').slice(-1);
  if (version === undefined && says === undefined)
    return { [`${folder}/package.json`]: undefined, [`${folder}/index.js`]: undefined };
  const text = `'${name} ${version ?? says}'`;
  return {
    [`${folder}/package.json`]: json({
      name,
      type: 'module',
      ...(version && { version }),
      ...(needs && { dependencies: { [needs]: '*' } }),
    }),
    [`${folder}/index.js`]:
      needs === undefined
        ? `export default ${text};\n`
        : `import needed from '${needs}';\nexport default ${text} + ' with ' + needed;\n`,
  };
};

const foo = (folder: string): readonly CodeFiles[] => [
  installed(folder),
  installed(folder, { version: '1.0.0' }),
  installed(folder, { version: '2.0.0', needs: 'bar' }),
  installed(folder, { says: 'a' }),
  installed(folder, { says: 'b' }),
];

const bar = (folder: string): readonly CodeFiles[] => [
  installed(folder, { version: '1.0.0' }),
  installed(folder, { version: '2.0.0' }),
];

const one = (path: string, ...texts: CodeFiles[string][]): readonly CodeFiles[] =>
  texts.map((text) => ({ [path]: text }));

/** For each place in the project what can be there. The first of each is what a walk begins with. */
const places: readonly (readonly CodeFiles[])[] = [
  one('uses', { link: 'stages/st' }, { link: 'stages/other' }),
  one('stages/other/index.ts', "import x from '#x';\nexport const run = () => 'other ' + x;\n"),
  one(
    'stages/st/index.ts',
    entryText('../../lib'),
    entryText('../../lib/index'),
    entryText('../../lib/a.js'),
  ),
  one(
    'package.json',
    manifest({ ...imports('./lib/a.js'), ...exported('./lib/a.js') }),
    manifest({ ...imports('./lib/b.js'), ...exported('./lib/a.js') }),
    manifest({ ...imports({ node: './lib/b.js', default: './lib/a.js' }), ...exported('./lib/b.js') }),
    manifest({ ...imports('foo'), ...exported('./lib/a.js') }),
    manifest({ ...imports('w'), ...exported('./lib/b.js'), type: 'module' }),
    manifest({ ...imports('./lib/a.js'), ...exported('./lib/a.js'), sideEffects: false, type: 'module' }),
  ),
  one(
    'stages/package.json',
    undefined,
    json({ name: 'inner' }),
    manifest({ type: 'module', ...imports('../lib/b.js'), ...exported('./b.js') }),
  ),
  one('stages/b.js', constant('inner b'), undefined),
  one(
    'lib/a.js',
    constant('a'),
    constant('a, edited'),
    "import b from './b';\nexport default 'a over ' + b;\n",
  ),
  one('lib/b.js', constant('b'), constant('a')),
  one('lib/b.ts', undefined, constant('b.ts')),
  one(
    'lib/both.js',
    "import a from './a.js';\nimport b from './b.js';\nexport default a + b;\n",
    "import b from './a.js';\nimport a from './b.js';\nexport default a + b;\n",
  ),
  one('lib/index.js', constant('index'), undefined),
  one('lib/index.ts', undefined, constant('index.ts')),
  one(
    'lib/package.json',
    undefined,
    json({ main: './b' }),
    json({ main: 'deep' }),
    json({ main: './a.js', type: 'module' }),
  ),
  one('lib/deep/index.js', constant('deep index'), undefined),
  one('lib/deep.js', undefined, constant('deep')),
  one('lib.ts', undefined, constant('lib.ts')),
  one('lib.js', undefined, constant('lib.js')),
  one('lib/link.js', { link: 'lib/a.js' }, { link: 'lib/b.js' }, constant('no link')),
  one(
    'lib/common.cjs',
    "module.exports = { __esModule: true, default: 'common' };\n",
    "module.exports = 'common';\n",
  ),
  one('stages/st/data/one.js', constant('one'), constant('another'), undefined),
  one('stages/st/data/sub/two.js', undefined, constant('two')),
  one('stages/st/data/sub/notes.txt', undefined, 'no module'),
  ...[foo('node_modules/foo').toSpliced(0, 1)],
  ...['stages/node_modules/foo', 'stages/st/node_modules/foo', 'lib/node_modules/foo'].map(foo),
  one('stages/node_modules/foo.js', undefined, constant('file foo')),
  bar('node_modules/bar'),
  [installed('node_modules/foo/node_modules/bar'), ...bar('node_modules/foo/node_modules/bar')],
  one('node_modules/w', { link: 'packages/w' }, { link: 'packages/v' }),
  one(
    'packages/w/package.json',
    json({ name: 'w', version: '1.0.0', main: 'a.js' }),
    json({ name: 'w', version: '1.0.0', main: './src' }),
    json({ name: 'w', version: '1.0.0', exports: './b.js' }),
  ),
  one('packages/w/a.js', "import foo from 'foo';\nexport default 'w a ' + foo;\n", constant('w a')),
  one('packages/w/b.js', constant('w b')),
  one('packages/w/src/index.js', constant('w src'), undefined),
  one('packages/w/src.js', undefined, constant('w src file')),
  one('packages/v/package.json', json({ name: 'w', version: '1.0.0', main: 'a.js' })),
  one('packages/v/a.js', constant('v a')),
];

export const codeAtStart: CodeFiles = Object.assign({}, ...places.map(([first]) => first));

/** Puts something else at one place, or at a few places together. */
export const anyCodeEdit: fc.Arbitrary<CodeFiles> = fc
  .array(
    fc.constantFrom(...places).chain((choices) => fc.constantFrom(...choices)),
    { minLength: 1, maxLength: 3 },
  )
  .map((edits) => Object.assign({}, ...edits));
