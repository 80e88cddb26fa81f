import { bundleOptions } from './bundle-options.ts';

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
