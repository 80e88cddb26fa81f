import { sendRequest } from '../../../remote/index.ts';
import { UsageError } from '../../exit-code.ts';

/** The newest Linux wheel that satisfies the specifier, for any Python: the libraries in it are the same. */
export async function findWheel({ index, signal, ...wanted }: WheelRequest): Promise<Wheel> {
  const { project, specifier, architecture } = wanted;
  const page = new URL(`${project}/`, index);
  const response = await sendRequest({
    url: page,
    headers: { accept: 'application/vnd.pypi.simple.v1+json' },
    signal,
  });
  // The fields are those of PEP 691; a file without one of them is not taken.
  const { files } = (await response.json()) as { files: readonly ListedFile[] };
  const wheels = files.flatMap((file) => wheelOf(file, { page, architecture }));
  const found = wheels
    .filter(({ version }) => satisfies(version, specifier))
    .sort((a, b) => compareVersions(b.version, a.version) || (a.name < b.name ? -1 : 1))[0];
  if (found !== undefined) return found;
  throw new UsageError({
    message: `${index.host} has no wheel of ${project} ${specifier} for Linux on ${architecture}`,
    help: 'engines are built on Linux with a 64-bit Intel, AMD or ARM processor',
  });
}

export interface WheelRequest {
  readonly project: string;
  readonly specifier: string;
  readonly architecture: string;
  /** A package index that answers as in PEP 691. */
  readonly index: URL;
  readonly signal: AbortSignal;
}

/** A file of Python's package index: an ordinary zip. */
interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly url: URL;
  readonly size: number;
  readonly sha256: string;
}

interface ListedFile {
  readonly filename: string;
  readonly url: string;
  readonly size: number;
  readonly hashes: { readonly sha256?: string };
  readonly yanked?: boolean | string;
}

function wheelOf(
  { filename, url, size, hashes, yanked }: ListedFile,
  { page, architecture }: { readonly page: URL; readonly architecture: string },
): readonly Wheel[] {
  const [, version] = /^[\w.]+-(\d+(?:\.\d+)*)-/.exec(filename) ?? [];
  const isForThis =
    filename.endsWith('.whl') && filename.includes('manylinux') && filename.includes(architecture);
  if (version === undefined || !isForThis || hashes.sha256 === undefined || yanked) return [];
  return [{ name: filename, version, url: new URL(url, page), size, sha256: hashes.sha256 }];
}

/** Orders dotted release numbers: `12.5.3.2` before `12.10`. A missing number counts as 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]]; // two
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether a release satisfies a specifier such as `<13.0,>=12.5.3.2` (PEP 440, as far as release numbers go). */
export function satisfies(version: string, specifier: string): boolean {
  return specifier.split(',').every((clause) => {
    const [, operator = '', bound = ''] = /^\s*(<=|>=|==|!=|<|>)\s*([\d.]+)\s*$/.exec(clause) ?? [];
    const order = compareVersions(version, bound);
    switch (operator) {
      case '<':
        return order < 0;
      case '<=':
        return order <= 0;
      case '>':
        return order > 0;
      case '>=':
        return order >= 0;
      case '==':
        return order === 0;
      case '!=':
        return order !== 0;
      default:
        throw new Error(`unknown version specifier \`${clause}\``);
    }
  });
}
