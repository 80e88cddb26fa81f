import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const modules = join(import.meta.dirname, '../../../node_modules');
const core = join(modules, '@tensorflow/tfjs-core');

/**
 * tfjs-core's tests are modules that Node cannot load unbundled and that import their own copy of tfjs-core, so everything is
 * bundled with that copy. They also import an old Jasmine, only to set its time limit: it is left out.
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

/** Bundles the program into a folder from which this project's packages resolve; returns the path of its entry. */
export async function bundleSuite(folder: string): Promise<string> {
  await build({
    entryPoints: [join(import.meta.dirname, 'suite-program.ts')],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true, // Jasmine must be loaded before the test modules run
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['onnxruntime-node', 'koffi', 'jasmine-core'],
    ignoreAnnotations: true, // tfjs-core marks its tests as free of side effects
    banner: { js: "import { createRequire as c } from 'node:module'; const require = c(import.meta.url);" },
    plugins: [oneCore],
    logLevel: 'error',
  });
  return join(folder, 'suite-program.mjs');
}
