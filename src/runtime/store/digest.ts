import { createHash } from 'node:crypto';
import { isObject } from '../../core/index.ts';

declare const digestBrand: unique symbol;

/**
 * Identity of a content: `sha256:<hex>` of a file's bytes, or `sha256-folder:<hex>` of a folder's manifest.
 * The two never meet, even where a file's bytes are those of a manifest.
 */
export type Digest = string & { readonly [digestBrand]: true };

/** What stands at a port: one content, or one for each named part. */
export type PortContent = Digest | { readonly parts: Readonly<Record<string, Digest>> };

const pattern = /^sha256(-folder)?:[0-9a-f]{64}$/;

/** The digest that a text spells, or undefined where it spells none. */
export function parseDigest(text: unknown): Digest | undefined {
  // The pattern has just been checked: this is where digests are made.
  return typeof text === 'string' && pattern.test(text) ? (text as Digest) : undefined;
}

/** `hex`: 64 lower-case hexadecimal digits. */
export const digestOf = (kind: 'file' | 'folder', hex: string): Digest => {
  const digest = parseDigest(kind === 'file' ? `sha256:${hex}` : `sha256-folder:${hex}`);
  if (digest === undefined) throw new RangeError(`not a sha256 in hexadecimal: ${hex}`);
  return digest;
};

export const isFolderDigest = (digest: Digest): boolean => digest.startsWith('sha256-folder:');

/** The 64 hexadecimal digits: what the blob is filed under. */
export const hexOf = (digest: Digest): string => digest.slice(digest.indexOf(':') + 1);

export const sha256 = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Every digest at a port, with the part's name where it has parts. */
export function* digestsAt(content: PortContent): Generator<{ digest: Digest; part?: string }> {
  if (typeof content === 'string') yield { digest: content };
  else for (const [part, digest] of Object.entries(content.parts)) yield { digest, part };
}

/** A decoded port content, or undefined where the value is none. */
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
