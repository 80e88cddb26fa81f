import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { canonicalJson, isObject, own } from '../../core/index.ts';
import type { CacheKey } from '../key/key-material.ts';
import { type ActionRecord, parseRecord } from '../store/action-records.ts';

/**
 * A record on a remote is signed with Ed25519: its key does not give its outputs, so that without a signature anyone who
 * can write to the remote could name another result.
 */
export interface SigningKey {
  readonly publicKey: PublicKey;
  /** Signs 64 bytes over any text. */
  readonly sign: (text: string) => string;
}

declare const publicKeyBrand: unique symbol;

/** As settings name it: `ed25519:` and the 32 bytes of the key in base64. */
export type PublicKey = string & { readonly [publicKeyBrand]: true };

/** The public key that a text spells; undefined if it spells none. */
export function parsePublicKey(text: unknown): PublicKey | undefined {
  if (typeof text !== 'string' || !/^ed25519:[A-Za-z0-9+/]{43}=$/.test(text)) return undefined;
  // The spelling has been checked, and no other function makes public keys.
  return text as PublicKey;
}

/** Makes a new key pair. `secret` is the private half, one line of base64. */
export function makeSigningKey(): { readonly secret: string; readonly publicKey: PublicKey } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const secret = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  return { secret, publicKey: spell(privateKey) };
}

/** Opens a private key: one line of base64, as makeSigningKey gives it, or PEM. Undefined if the text is no Ed25519 key. */
export function openSigningKey(text: string): SigningKey | undefined {
  const key = privateKeyIn(text.trim());
  if (key?.asymmetricKeyType !== 'ed25519') return undefined;
  return {
    publicKey: spell(key),
    sign: (signed) => sign(null, Buffer.from(signed), key).toString('base64'),
  };
}

function privateKeyIn(text: string): KeyObject | undefined {
  try {
    return text.startsWith('-----BEGIN')
      ? createPrivateKey(text)
      : createPrivateKey({ key: Buffer.from(text, 'base64'), type: 'pkcs8', format: 'der' });
  } catch {
    return undefined; // the error could repeat the key
  }
}

/** What precedes the 32 bytes in the key's usual encoding (RFC 8410). */
const derPrefix = Buffer.from('302a300506032b6570032100', 'hex');

function spell(privateKey: KeyObject): PublicKey {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const text = parsePublicKey(`ed25519:${der.subarray(derPrefix.length).toString('base64')}`);
  if (text === undefined) throw new TypeError('a public key has no such form');
  return text;
}

/** Separates these signatures from any other use of a key. */
const signedText = (record: unknown): string => `tuneloom action record 1\n${canonicalJson(record)}`;

/** A record as the bytes that a remote holds: its JSON with one more field, `signature`. */
export function signRecord(record: ActionRecord, key: SigningKey): Uint8Array {
  // What the reader will see: without fields that are undefined.
  const plain: unknown = JSON.parse(JSON.stringify(record));
  const signature = { key: key.publicKey, value: key.sign(signedText(plain)) };
  return Buffer.from(`${JSON.stringify({ ...(isObject(plain) ? plain : {}), signature }, null, 1)}\n`);
}

/** What a remote's bytes say about a key, and who vouches for it. */
export type SignedRecord =
  | { readonly kind: 'trusted'; readonly record: ActionRecord; readonly signer: PublicKey }
  | { readonly kind: 'unsigned' }
  /** The signature is right, but nothing says that its key counts. */
  | { readonly kind: 'unknown-signer'; readonly signer: PublicKey }
  /** The signature does not belong to these bytes, or names no key. */
  | { readonly kind: 'forged' }
  /** These bytes are no record, or one of another key. */
  | { readonly kind: 'invalid' };

/** A record is a few kilobytes. A remote may send anything. */
export const mostRecordBytes = 16 * 2 ** 20;

/** Reads a remote's record of a cache key, and trusts it only if one of the keys has signed it. */
export function openSignedRecord(
  bytes: Uint8Array,
  { key, trusted }: { readonly key: CacheKey; readonly trusted: ReadonlySet<PublicKey> },
): SignedRecord {
  const value = bytes.length > mostRecordBytes ? undefined : parsed(bytes);
  if (!isObject(value)) return { kind: 'invalid' };
  const { signature, ...plain } = value;
  const record = withinStack(() => parseRecord(plain, key));
  if (record === undefined) return { kind: 'invalid' };
  if (signature === undefined) return { kind: 'unsigned' };
  const [signer, signed] = isObject(signature)
    ? [parsePublicKey(own(signature, 'key')), own(signature, 'value')]
    : [];
  const text = withinStack(() => signedText(plain));
  if (signer === undefined || typeof signed !== 'string' || text === undefined) return { kind: 'forged' };
  if (!verify(null, Buffer.from(text), publicKeyObject(signer), Buffer.from(signed, 'base64')))
    return { kind: 'forged' };
  return trusted.has(signer) ? { kind: 'trusted', record, signer } : { kind: 'unknown-signer', signer };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Undefined for a value that nests so deeply that it cannot be walked. */
function withinStack<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const publicKeyObject = (key: PublicKey): KeyObject =>
  createPublicKey({
    key: Buffer.concat([derPrefix, Buffer.from(key.slice('ed25519:'.length), 'base64')]),
    type: 'spki',
    format: 'der',
  });
