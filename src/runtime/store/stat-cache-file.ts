import { readFileSync } from 'node:fs';
import { sha256 } from './digest.ts';

const magic = 'tuneloom stat cache 2\n';
const sealLength = 64;

/** Encoded folders by their paths, the one that was looked at last standing last. */
export type EncodedFolders = ReadonlyMap<string, Buffer>;

/**
 * Reads a cache's file; none where it is missing or not what was written. Only its table of contents is looked at: each
 * folder has a seal of its own, and may never be asked for.
 */
export function readStatCache(path: string): EncodedFolders {
  try {
    const bytes = readFileSync(path);
    const headerAt = magic.length + sealLength + 1;
    const headerEnd = bytes.indexOf('\n', headerAt);
    const header = bytes.toString('utf8', headerAt, headerEnd);
    const seal = bytes.toString('latin1', magic.length, headerAt - 1);
    if (bytes.toString('latin1', 0, magic.length) !== magic || sha256(header) !== seal) return new Map();
    // Sealed, so it is the table that was written.
    const table = JSON.parse(header) as readonly (readonly [folder: string, length: number])[];
    let at = headerEnd + 1;
    return new Map(
      table.map(([folder, length]) => {
        at += length;
        return [folder, bytes.subarray(at - length, at)] as const;
      }),
    );
  } catch {
    return new Map();
  }
}

/** The bytes of a cache's file. */
export function encodeStatCache(folders: EncodedFolders): Buffer {
  const header = JSON.stringify([...folders].map(([folder, { length }]) => [folder, length]));
  return Buffer.concat([Buffer.from(`${magic}${sha256(header)}\n${header}\n`), ...folders.values()]);
}
