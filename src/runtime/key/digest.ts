import { createHash } from 'node:crypto';
import { isObject } from '../../core/index.ts';

declare const digestBrand: unique symbol;

/**
 * Identity of a content: `sha256:<hex>` of a file's bytes, or `sha256-folder:<hex>` of a folder's manifest. The two
 * differ even if a file's bytes are those of a manifest.
 */
export type Digest = string & { readonly [digestBrand]: true };

/** The content of a port: one digest, or one for each named part. */
export type PortContent = Digest | { readonly parts: Readonly<Record<string, Digest>> };

const pattern = /^sha256(-folder)?:[0-9a-f]{64}$/;

/** The digest that a text spells, if it does. */
export function parseDigest(text: unknown): Digest | undefined {
  // The pattern has been checked, and no other function makes digests.
  return typeof text === 'string' && pattern.test(text) ? (text as Digest) : undefined;
}

/** `hex`: 64 lowercase hexadecimal digits. */
export const digestOf = (kind: 'file' | 'folder', hex: string): Digest => {
  const digest = parseDigest(kind === 'file' ? `sha256:${hex}` : `sha256-folder:${hex}`);
  if (digest === undefined) throw new RangeError(`not a sha256 in hexadecimal: ${hex}`);
  return digest;
};

export const isFolderDigest = (digest: Digest): boolean => digest.startsWith('sha256-folder:');

/** The 64 hexadecimal digits, which name the blob's file. */
export const hexOf = (digest: Digest): string => digest.slice(digest.indexOf(':') + 1);

export const sha256 = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Every digest of a port, with the part's name if it has parts. */
export function* digestsAt(content: PortContent): Generator<{ digest: Digest; part?: string }> {
  if (typeof content === 'string') yield { digest: content };
  else for (const [part, digest] of Object.entries(content.parts)) yield { digest, part };
}

/** Decodes a port's content; undefined if the value is none. */
export function parsePortContent(value: unknown): PortContent | undefined {
  if (typeof value === 'string') return parseDigest(value);
  if (!isObject(value) || !isObject(value.parts)) return undefined;
  const parts = new Map<string, Digest>();
  for (const [part, text] of Object.entries(value.parts)) {
    const digest = parseDigest(text);
    if (digest === undefined) return undefined;
    parts.set(part, digest);
  }
  return { parts: Object.fromEntries(parts) };
}
