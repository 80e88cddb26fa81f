import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** One for each kind of processor; the first that is there is used. */
export const TENSORFLOW_FLAVOURS = ['cuda', 'cpu'] as const;

export type TensorflowFlavour = (typeof TENSORFLOW_FLAVOURS)[number];

/** Outside node_modules, where a clean install would remove a gigabyte. `TUNELOOM_TENSORFLOW` names another folder. */
export function tensorflowFolder(
  { TUNELOOM_TENSORFLOW, XDG_CACHE_HOME, HOME }: Environment = process.env,
): string {
  if (TUNELOOM_TENSORFLOW) return TUNELOOM_TENSORFLOW;
  return join(XDG_CACHE_HOME || join(HOME || homedir(), '.cache'), 'tuneloom', 'tensorflow');
}
