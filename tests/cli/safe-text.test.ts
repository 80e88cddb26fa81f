import { assert, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { safeLine, safeText } from '../../src/cli/terminal/safe-text.ts';

test('control characters are shown, not interpreted', () => {
  expect(safeText('\u001b[31mred\u001b[0m\r\nnext\tcolumn\u0007\u202eabc\u009b2J')).toBe(
    '\\x1b[31mred\\x1b[0m\nnext\tcolumn\\x07\\u{202e}abc\\x9b2J',
  );
});

test('text of any script, and emoji made of several characters, stay as they are', () => {
  const text = 'Übung, 日本語, नमस्ते, می‌خواهم, 👩‍👩‍👧';
  expect(safeText(text)).toBe(text);
});

test('a carriage return alone, which would overwrite the line, is shown', () => {
  expect(safeText('wrong\rright')).toBe('wrong\\x0dright');
});

test('one line stays one line', () => {
  expect(safeLine('a\nb\tc')).toBe('a⏎b⇥c');
});

test('no control character but line feed and tab ever comes through', () => {
  assert(
    property(
      string({ unit: 'binary' }),
      (text) => !/(?![\n\t])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(safeText(text)),
    ),
    { numRuns: 30 },
  );
});
