import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildOptions, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';
import type { Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';

/** Writes a stage's code as one file that Node can import, with a map back to the user's lines. */
export async function bundleStage(stage: {
  readonly entry: string;
  readonly stageApi: string;
  readonly outfile: string;
}): Promise<void> {
  const { build } = await import('esbuild');
  const { entry, stageApi, outfile } = stage;
  await build({ ...bundleOptions({ entry, stageApi, onPackage: () => {} }), outfile });
}

/** What users' stages import from tuneloom. */
const stageApi = 'tuneloom/stage';
const formerStageApi = 'retune/stage';

interface BundleRequest {
  readonly entry: string;
  /** Absolute path of the module that stands for `tuneloom/stage`. */
  readonly stageApi: string;
  /** Called with each package that a module imports. */
  readonly onPackage: (used: UsedPackage) => void;
}

/**
 * How a stage's code becomes one file. Packages stay outside and are imported from where they are, so that Node runs
 * them as usual. No tsconfig is read: the code's meaning depends only on the code.
 */
export const bundleOptions = (request: BundleRequest) =>
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
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    plugins: [packagesOutside(request)],
  }) satisfies BuildOptions;

function packagesOutside(request: BundleRequest): Plugin {
  return {
    name: 'packages-outside',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, (args) => resolvePackage(args, { build, request }));
    },
  };
}

/** Marks the plugin's own request, which it must not answer. */
const ownRequest = Symbol('own request');

async function resolvePackage(
  args: OnResolveArgs,
  { build, request }: { readonly build: PluginBuild; readonly request: BundleRequest },
): Promise<OnResolveResult | undefined> {
  const { path, kind, resolveDir, importer } = args;
  if (args.pluginData === ownRequest || kind === 'entry-point') return undefined;
  if (path === formerStageApi)
    return { errors: [{ text: `import \`${stageApi}\`, which was called \`${path}\` before` }] };
  if (path === stageApi) return { path: addressOf(request.stageApi, kind), external: true };
  if (isBuiltin(path)) return { path, external: true };
  const found = await build.resolve(path, { kind, resolveDir, importer, pluginData: ownRequest });
  if (found.errors.length > 0) return { errors: found.errors, warnings: found.warnings };
  // A package of the user's workspace counts as the user's code.
  if (!found.path.includes(`${sep}node_modules${sep}`))
    return found.external ? { path, external: true } : { path: found.path };
  const used = findPackage(found.path);
  if (used !== undefined) request.onPackage(used);
  return { path: addressOf(found.path, kind), external: true };
}

/** `require` takes paths, `import` addresses. */
const addressOf = (path: string, kind: OnResolveArgs['kind']): string =>
  kind === 'require-call' || kind === 'require-resolve' ? path : pathToFileURL(path).href;

/** The modules and packages of a stage's code, found without running it. */
export interface ModuleGraph {
  /** Absolute paths of the user's own modules. */
  readonly files: readonly string[];
  readonly packages: readonly UsedPackage[];
}

export interface UsedPackage {
  readonly name: string;
  readonly version: string;
  /** Absolute path of its package.json. */
  readonly manifest: string;
}

export type FoundModules = Result<ModuleGraph, readonly Diagnostic[]>;

/** The package of a file in node_modules: the nearest package.json above it with a name and a version. */
function findPackage(file: string): UsedPackage | undefined {
  for (let folder = dirname(file); folder.includes(`${sep}node_modules${sep}`); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    const { name, version } = readManifest(manifest);
    if (typeof name === 'string' && typeof version === 'string') return { name, version, manifest };
  }
  return undefined;
}

function readManifest(path: string): Partial<Record<string, unknown>> {
  try {
    return Object(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return {};
  }
}
