import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const modules = join(import.meta.dirname, '../../../node_modules');
const core = join(modules, '@tensorflow/tfjs-core');

/**
 * tfjs-core's tests come as modules that Node does not load as they are and that import their own copy of tfjs-core, so
 * everything is bundled over that copy. Its tests ask for an old Jasmine, of which they only set a time limit.
 */
const oneCore: Plugin = {
  name: 'one-tfjs-core',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@tensorflow\/tfjs-core$/ }, () => ({ path: join(core, 'dist/index.js') }));
    onResolve({ filter: /^@tensorflow\/tfjs-core\/dist\// }, ({ path }) => ({
      path: join(modules, path.endsWith('.js') ? path : `${path}.js`),
    }));
    onResolve({ filter: /^@tensorflow\/tfjs-backend-cpu$/ }, ({ path }) => ({
      path: join(modules, path, 'dist/index.js'),
    }));
    onResolve({ filter: /^jasmine-core\/lib\// }, ({ path }) => ({ path, namespace: 'no-jasmine' }));
    onLoad({ filter: /.*/, namespace: 'no-jasmine' }, () => ({
      contents: 'module.exports = { core: () => ({}) };',
    }));
  },
};

/** Bundles the program into a folder from which the packages of this project are found; the path of its entry. */
export async function bundleSuite(folder: string): Promise<string> {
  await build({
    entryPoints: [join(import.meta.dirname, 'suite-program.ts')],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true, // Jasmine has to be there before the modules of the tests run
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['onnxruntime-node', 'koffi', 'jasmine-core'],
    ignoreAnnotations: true, // tfjs-core says that its tests have no effect
    banner: { js: "import { createRequire as c } from 'node:module'; const require = c(import.meta.url);" },
    plugins: [oneCore],
    logLevel: 'error',
  });
  return join(folder, 'suite-program.mjs');
}
