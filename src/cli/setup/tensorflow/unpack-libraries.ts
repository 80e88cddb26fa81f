import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TensorflowFlavor } from '../../../tensor/index.ts';
import { downloadWheels } from '../download-wheels.ts';
import { type SetupProgress, wheelArchitecture } from '../requirements.ts';
import { unpackWheel } from '../unpack-wheel.ts';
import { WHEELS } from './addon.ts';
import { versions } from './requirements.ts';

interface Libraries {
  readonly folder: string;
  /** The folder of wheels until the setup has succeeded, so that another try need not download them again. */
  readonly downloads: string;
  readonly flavor: TensorflowFlavor;
  /** The Python whose pip downloads. */
  readonly python: string;
  readonly progress: SetupProgress;
}

/** Downloads TensorFlow's wheel and the CUDA libraries that it requires, and unpacks what an addon needs of them. */
export async function unpackLibraries({ folder: parent, flavor, ...source }: Libraries): Promise<void> {
  const folder = join(parent, WHEELS);
  // On ARM there is one wheel for both flavors.
  const project = flavor === 'cpu' && wheelArchitecture() === 'x86_64' ? 'tensorflow-cpu' : 'tensorflow';
  const tensorflow = await downloadWheels({
    ...source,
    name: `${project} ${versions.tensorflow}`,
    requirements: [`${project}==${versions.tensorflow}`],
  });
  const isWanted = (path: string) => isLibraryOrHeader(path) || path.endsWith('.dist-info/METADATA');
  for (const wheel of tensorflow) await unpackWheel(wheel, { folder, isWanted });
  if (flavor === 'cpu') return;
  const metadata = join(folder, `tensorflow-${versions.tensorflow}.dist-info`, 'METADATA');
  const requirements = cudaRequirements(await readFile(metadata, 'utf8'));
  const cuda = await downloadWheels({ ...source, name: 'CUDA libraries', requirements });
  for (const wheel of cuda) await unpackWheel(wheel, { folder, isWanted: isCudaLibrary });
}

const isLibraryOrHeader = (path: string): boolean =>
  /^tensorflow\/(libtensorflow_(cc|framework)\.so\.2$|include\/)/.test(path);

const isCudaLibrary = (path: string): boolean => path.startsWith('nvidia/') && !path.includes('/include/');

/** The CUDA libraries of the wheel's extra `and-cuda`, in lines such as `Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"`. */
export function cudaRequirements(metadata: string): readonly string[] {
  const line = /^Requires-Dist: (nvidia-[\w-]+?)\s*\(?([<>=!][^;)]*)\)?\s*;.*extra == ["']and-cuda["']/gm;
  return [...metadata.matchAll(line)].map(([, project = '', specifier = '']) => project + specifier.trim());
}
