import type { SafetensorsFile } from '../../model/safetensors/open-safetensors.ts';
import type { TensorToWrite } from '../../model/safetensors/write-safetensors.ts';
import { UserError } from '../../user-error.ts';

/** A list of strings as the UTF-8 bytes of a JSON array, since safetensors hold numbers only. */
export function stringListTensor(name: string, strings: readonly string[]): TensorToWrite {
  const bytes = new TextEncoder().encode(JSON.stringify(strings));
  return { name, dtype: 'U8', shape: [bytes.length], read: () => bytes };
}

export async function readStringList(file: SafetensorsFile, name: string): Promise<readonly string[]> {
  const value: unknown = JSON.parse(new TextDecoder().decode(await file.readUint8(name)));
  if (isStringList(value)) return value;
  throw new UserError({ code: 'bad-strings', message: `${file.path}: ${name} is no list of strings` });
}

const isStringList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
