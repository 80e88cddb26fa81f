import { createHash, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  makeSigningKey,
  openSignedRecord,
  openSigningKey,
  signRecord,
} from '../../../src/runtime/sharing/signature.ts';
import { trustedKeys } from '../../../src/runtime/sharing/signing-keys.ts';
import type { ActionRecord } from '../../../src/runtime/store/action-records.ts';

const ada = openSigningKey(makeSigningKey().secret) ?? expect.fail();
const eve = openSigningKey(makeSigningKey().secret) ?? expect.fail();

const material = { config: {}, format: 1, inputs: {}, uses: 'load', version: 1 };
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
// The names of the material are sorted, so that its plain JSON is its canonical form.
const key = createHash('sha256').update(JSON.stringify(material)).digest('hex');
const record = {
  format: 1,
  key,
  material,
  outputs: { records: digest('a') },
  provenance: { pipeline: 'p', stage: 'load', run: 'r', startedAt: '', milliseconds: 1.5, fingerprint: {} },
  measurements: { räume: 1e-7, peak: undefined },
} as unknown as ActionRecord;

const open = (bytes: Uint8Array, of = key) =>
  openSignedRecord(bytes, { key: of as ActionRecord['key'], trusted: new Set([ada.publicKey]) });
/** What Ada signed, with an edit of the text. */
const edited = (from: string, to: string): Uint8Array => {
  const text = Buffer.from(signRecord(record, ada)).toString();
  expect(text).toContain(from);
  return Buffer.from(text.replace(from, to));
};

test('a record that a named key has signed is trusted', () => {
  expect(open(signRecord(record, ada))).toEqual({
    kind: 'trusted',
    signer: ada.publicKey,
    record: { ...record, measurements: { räume: 1e-7 } },
  });
});

test.each<[string, () => Uint8Array, string]>([
  ['names another result', () => edited(digest('a'), digest('b')), 'forged'],
  [
    'has one more output',
    () => edited('"records":', '"more": "'.concat(digest('c'), '", "records":')),
    'forged',
  ],
  ['has another measurement', () => edited('1e-7', '1e-8'), 'forged'],
  ['names another signer', () => edited(ada.publicKey, eve.publicKey), 'forged'],
  ['has a signature of nothing', () => edited('"value": "', '"value": "AAAA'), 'forged'],
  ['names a key that is none', () => edited(ada.publicKey, 'ed25519:AAAA'), 'forged'],
  ['is signed by an unknown key', () => signRecord(record, eve), 'unknown-signer'],
  ['has no signature', () => Buffer.from(JSON.stringify(record)), 'unsigned'],
  [
    'has a material of another key',
    () => edited('"load",\n  "version": 1', '"load",\n  "version": 2'),
    'invalid',
  ],
  ['is not JSON', () => Buffer.from('<html>login</html>'), 'invalid'],
  ['is not UTF-8', () => Buffer.from([0x22, 0xff, 0x22]), 'invalid'],
  [
    'nests without end',
    () => Buffer.from(edited('{\n', `{ "deep": ${'['.repeat(1e6)}${']'.repeat(1e6)},`)),
    'forged',
  ],
  ['is longer than any record', () => edited('{\n', `{ "long": "${'x'.repeat(17 * 2 ** 20)}",`), 'invalid'],
  ['is empty', () => Buffer.of(), 'invalid'],
])('a record that %s is not trusted', (_, bytes, kind) => {
  expect(open(bytes()).kind).toBe(kind);
});

test('a record that is right for its own key is invalid under any other', () => {
  expect(open(signRecord(record, ada), '0'.repeat(64))).toEqual({ kind: 'invalid' });
});

test('a key is one line of base64 or PEM, and nothing else', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const line = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  expect(openSigningKey(pem)?.publicKey).toBe(openSigningKey(`${line}\n`)?.publicKey);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  expect(openSigningKey(rsa.export({ type: 'pkcs8', format: 'pem' }).toString())).toBeUndefined();
  for (const text of ['', 'secret', ada.publicKey]) expect(openSigningKey(text)).toBeUndefined();
});

test("the keys that settings name count, with their owners' names after them, and one's own", () => {
  expect(trustedKeys([`${ada.publicKey} ada`, 'ed25519:short'], eve)).toEqual(
    new Set([ada.publicKey, eve.publicKey]),
  );
});
