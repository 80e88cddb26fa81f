import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../../src/core/json.ts';
import { digestOf } from '../../../src/runtime/key/digest.ts';
import { manifestOf, parseManifest } from '../../../src/runtime/store/folder-manifest.ts';
import { outputsPath, pathSegment } from '../../../src/runtime/store/store-layout.ts';

const digest = digestOf('file', 'a'.repeat(64));
const withPaths = (...paths: readonly string[]): string =>
  JSON.stringify({ files: paths.map((path) => ({ path, digest, size: 1 })) });

test('a manifest is the same for the same files in any order, and reads back', () => {
  const files = ['b/c', 'a', 'B'].map((path) => ({ path, digest, size: 3 }));
  const { bytes, digest: folder } = manifestOf(files);
  expect(manifestOf(files.toReversed())).toEqual({ bytes, digest: folder });
  expect(parseManifest(bytes).map(({ path }) => path)).toEqual(['B', 'a', 'b/c']);
});

test("a manifest's bytes are RFC 8785's, whatever its files are called", () => {
  const paths = fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1 }), { minLength: 1 });
  fc.assert(
    fc.property(paths, fc.nat(), (names, size) => {
      const files = names.map((path) => ({ path, digest, size }));
      const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
      expect(manifestOf(files).bytes).toBe(canonicalJson({ files: sorted }));
    }),
  );
});

for (const path of [
  '../a',
  'a/../../b',
  '/etc/passwd',
  'a//b',
  './a',
  '',
  'a/',
  'c:\\a',
  'C:a',
  'a\\..\\b',
  'a\0b',
]) {
  test(`a manifest that names ${JSON.stringify(path)} is refused`, () => {
    expect(() => parseManifest(withPaths(path))).toThrow(RangeError);
  });
}

test('a manifest that names a path twice, or a file as a folder, is refused', () => {
  expect(() => parseManifest(withPaths('a', 'a'))).toThrow('names a twice');
  expect(() => parseManifest(withPaths('a', 'a/b'))).toThrow('a is both a file and a folder');
});

/** Any text that JavaScript can hold, halves of surrogate pairs among it. */
const codeUnits = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

test('no name makes a path that leaves its folder', () => {
  fc.assert(
    fc.property(codeUnits, (name) => {
      expect(pathSegment(name)).toMatch(/^[^./\\\0][^/\\\0]*$/);
    }),
  );
  expect(pathSegment('\ud800')).toBe('%EF%BF%BD');
  expect(outputsPath('../..', 'mmlu/../x')).toBe('outputs/%2e.%2F../mmlu/%2e./x');
});
