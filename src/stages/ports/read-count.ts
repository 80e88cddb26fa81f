import type { SafetensorsFile } from '../../model/safetensors/open-safetensors.ts';
import { UserError } from '../../user-error.ts';

/** A whole number in a file's metadata, which holds texts only. */
export function readCount({ path, metadata }: SafetensorsFile, name: string): number {
  const text = metadata[name] ?? '';
  if (/^\d+$/.test(text)) return Number(text);
  throw new UserError({
    code: 'bad-metadata',
    message: `${path}: the metadata \`${name}\` is ${JSON.stringify(metadata[name]) ?? 'missing'}; a whole number is needed`,
  });
}
