import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

/**
 * Joins the chunks that every command loads into one file: it takes Node longer to find and open forty files than to compile them.
 * Each is replaced by a chunk of the same name that re-exports from the joined one, so nothing is loaded twice.
 * `entries`: the source files that are loaded, such as `src/cli/run/run.ts`. Returns all output files.
 */
export async function joinChunks({ outputFiles, metafile }, { entries }) {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [resolve(path), output]));
  const joined = closureOf(outputs, (path) => entries.includes(outputs.get(path).entryPoint));
  const texts = new Map(outputFiles.map(({ path, text }) => [path, text]));
  const names = [...joined].map((path, index) => ({ path, prefix: `from${index}_` }));
  const core = join(dirname(names[0].path), 'core.js');
  const result = await build({
    stdin: {
      contents: names.map((each) => reexport(outputs.get(each.path), each)).join('\n'),
      resolveDir: dirname(core),
    },
    outfile: core,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'linked',
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    logLevel: 'warning',
    write: false,
    plugins: [inMemory({ joined, texts })],
  });
  const facades = names.map(({ path, prefix }) => ({
    path,
    contents: `export {${outputs
      .get(path)
      .exports.map((name) => `${prefix}${name} as ${name}`)
      .join(',')}} from './core.js';\n`,
  }));
  const replaced = new Set(names.flatMap(({ path }) => [path, `${path}.map`]));
  return [...outputFiles.filter(({ path }) => !replaced.has(path)), ...facades, ...result.outputFiles];
}

const reexport = ({ exports }, { path, prefix }) =>
  `export {${exports.map((name) => `${name} as ${prefix}${name}`).join(',')}} from ${JSON.stringify(path)};`;

/** The chunks that match, with everything that they import statically. */
function closureOf(outputs, matches) {
  const found = new Set();
  const add = (path) => {
    if (found.has(path)) return;
    found.add(path);
    for (const { path: next, kind } of outputs.get(path)?.imports ?? [])
      if (kind === 'import-statement' && outputs.has(resolve(next))) add(resolve(next));
  };
  for (const path of outputs.keys()) if (path.endsWith('.js') && matches(path)) add(path);
  return found;
}

/** A chunk with its source map inlined, so that esbuild maps core.js to the original sources. */
const withMap = (path, texts) =>
  texts
    .get(path)
    .replace(
      /(?<=^\/\/# sourceMappingURL=).*$/m,
      `data:application/json;base64,${Buffer.from(texts.get(`${path}.map`)).toString('base64')}`,
    );

/** Reads joined chunks from memory; all other imports stay. */
const inMemory = ({ joined, texts }) => ({
  name: 'in-memory',
  setup(builder) {
    builder.onResolve({ filter: /.*/ }, ({ path, resolveDir, kind }) => {
      const absolute = resolve(resolveDir, path);
      return joined.has(absolute) && kind !== 'dynamic-import'
        ? { path: absolute, namespace: 'chunk' }
        : { path, external: true };
    });
    builder.onLoad({ filter: /.*/, namespace: 'chunk' }, ({ path }) => ({
      contents: withMap(path, texts),
      resolveDir: dirname(path),
      loader: 'js',
    }));
  },
});
