import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildOptions, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';
import { digestOf, sha256 } from '../key/digest.ts';
import { type ModuleGraph, moduleGraphOf } from './module-graph.ts';
import { findPackage, type PackageImport } from './used-packages.ts';

interface BundleRequest {
  readonly entry: string;
  /** Absolute path of the module that stands for `tuneloom/stage`. */
  readonly stageApi: string;
  /** Where to write the bundle; without it nothing is written. */
  readonly outfile?: string;
}

/**
 * Bundles a stage's code into one file that Node can import, with a map back to the user's lines. Gives what it is made of,
 * and the names that it exports. Runs none of the code. Throws esbuild's BuildFailure for code that does not compile.
 */
export async function bundleStage(
  request: BundleRequest,
): Promise<{ readonly graph: ModuleGraph; readonly exports: readonly string[] }> {
  // esbuild names every module by its real path.
  const entry = realpathSync(request.entry);
  const { outfile } = request;
  const found: Found = { digests: new Map(), packageImports: [] };
  const { build } = await import('esbuild');
  const { metafile } = await build({
    ...bundleOptions({ ...request, entry }, found),
    ...(outfile === undefined ? { write: false } : { outfile }),
  });
  const graph = moduleGraphOf({ entry, metafile, ...found });
  return { graph, exports: Object.values(metafile.outputs).flatMap(({ exports }) => exports) };
}

/** What users' stages import from tuneloom. */
const stageApi = 'tuneloom/stage';
const formerStageApi = 'retune/stage';

/** What the plugin sees while esbuild works. */
interface Found {
  /** Absolute path of a module -> the digest of the bytes that esbuild got. */
  readonly digests: Map<string, string>;
  readonly packageImports: PackageImport[];
}

/**
 * How a stage's code becomes one file. Packages stay outside and are imported from where they are, so that Node runs
 * them as usual. No tsconfig is read, and no package's claim that its modules have no effects: the code's meaning depends
 * only on the code.
 */
const bundleOptions = (request: BundleRequest, found: Found) =>
  ({
    entryPoints: [request.entry],
    absWorkingDir: dirname(request.entry),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: 'inline',
    sourcesContent: false,
    metafile: true,
    logLevel: 'silent',
    tsconfigRaw: '{}',
    ignoreAnnotations: true,
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    plugins: [packagesOutside(request, found)],
  }) satisfies BuildOptions;

function packagesOutside(request: BundleRequest, found: Found): Plugin {
  return {
    name: 'packages-outside',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, (args) => resolvePackage(args, { build, request, found }));
      // Hashing the bytes that are bundled leaves no moment at which a file could become another.
      build.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path }) => {
        const contents = await readFile(path);
        found.digests.set(path, digestOf('file', sha256(contents)));
        return { contents, loader: 'default' };
      });
    },
  };
}

/** Marks the plugin's own request, which it must not answer. */
const ownRequest = Symbol('own request');

async function resolvePackage(
  args: OnResolveArgs,
  context: { readonly build: PluginBuild; readonly request: BundleRequest; readonly found: Found },
): Promise<OnResolveResult | undefined> {
  const { path, kind, resolveDir, importer } = args;
  if (args.pluginData === ownRequest || kind === 'entry-point') return undefined;
  if (path === formerStageApi)
    return { errors: [{ text: `import \`${stageApi}\`, which was called \`${path}\` before` }] };
  if (path === stageApi) return { path: addressOf(context.request.stageApi, kind), external: true };
  if (isBuiltin(path)) return { path, external: true };
  const resolved = await context.build.resolve(path, { kind, resolveDir, importer, pluginData: ownRequest });
  if (resolved.errors.length > 0) return { errors: resolved.errors, warnings: resolved.warnings };
  if (resolved.external) return { path, external: true };
  const used = findPackage(resolved.path);
  // A package of the user's workspace, and one that no version identifies, count as the user's code.
  if (used === undefined) return { path: resolved.path };
  context.found.packageImports.push({ importer, specifier: path, used });
  return { path: addressOf(resolved.path, kind), external: true };
}

/** `require` takes paths, `import` addresses. */
const addressOf = (path: string, kind: OnResolveArgs['kind']): string =>
  kind === 'require-call' || kind === 'require-resolve' ? path : pathToFileURL(path).href;
