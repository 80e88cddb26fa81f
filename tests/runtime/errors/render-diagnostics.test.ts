import { expect, test } from 'vitest';
import { diagnosticsToJson, renderDiagnostics } from '../../../src/runtime/diagnostic/render-diagnostics.ts';

const file = {
  path: '/p/wide.yaml',
  displayPath: 'p/wide.yaml',
  text: 'a: 1\r\n\tb: "數據" # \u001b[31mred\r\nc: 3',
};
const at = (text: string) => ({
  file,
  start: file.text.indexOf(text),
  end: file.text.indexOf(text) + text.length,
});

const diagnostic = {
  code: 'wrong-type',
  message: '`b` must be a number, not the text `\u001b[2J`',
  span: at('"數據"'),
  help: 'take it out',
  related: { kind: 'use' as const, span: at('c') },
};

test('carets stand below what they mean, beside tabs and wide characters, and no text controls the terminal', () => {
  expect(renderDiagnostics([diagnostic])).toBe(
    [
      'p/wide.yaml:2:5 error[wrong-type] `b` must be a number, not the text `\ufffd[2J`',
      '   2 |   b: "數據" # \ufffd[31mred',
      '     |      ^^^^^^',
      '  p/wide.yaml:3:1 it is used here',
      '   3 | c: 3',
      '     | ^',
      '  help: take it out',
      '1 error. Nothing ran.',
      '',
    ].join('\n'),
  );
});

test('a palette colors the place, the error, the frame and the help', () => {
  const mark = (name: string) => (text: string) => `<${name} ${text}>`;
  const palette = { place: mark('place'), error: mark('error'), frame: mark('frame'), help: mark('help') };
  expect(renderDiagnostics([{ code: 'bad', message: 'it is bad', help: 'fix it' }], palette)).toBe(
    '<error error[bad]> it is bad\n  <help help:> fix it\n<error 1 error>. Nothing ran.\n',
  );
});

test('for a program the same is file, line and column', () => {
  expect(diagnosticsToJson([diagnostic, { code: 'bad', message: 'it is bad' }])).toEqual([
    {
      code: 'wrong-type',
      message: diagnostic.message,
      file: 'p/wide.yaml',
      line: 2,
      column: 5,
      end_line: 2,
      end_column: 9,
      help: 'take it out',
      related: {
        message: 'it is used here',
        file: 'p/wide.yaml',
        line: 3,
        column: 1,
        end_line: 3,
        end_column: 2,
      },
    },
    { code: 'bad', message: 'it is bad' },
  ]);
});

test('of a very long line only what is around the mistake is shown', () => {
  const long = { ...file, text: `${'x'.repeat(300)}HERE${'y'.repeat(300)}` };
  const span = { file: long, start: 300, end: 304 };
  expect(renderDiagnostics([{ code: 'bad', message: 'it is bad', span }])).toBe(
    [
      'p/wide.yaml:1:301 error[bad] it is bad',
      `   1 | ...${'x'.repeat(50)}HERE${'y'.repeat(46)}...`,
      `     | ${' '.repeat(53)}^^^^`,
      '1 error. Nothing ran.',
      '',
    ].join('\n'),
  );
});

test('a file whose name holds a line break is named on one line', () => {
  const odd = { ...file, displayPath: 'two\nlines.yaml' };
  const [headline] = renderDiagnostics([{ ...diagnostic, span: { ...diagnostic.span, file: odd } }]).split(
    '\n',
  );
  expect(headline).toBe(
    'two⏎lines.yaml:2:5 error[wrong-type] `b` must be a number, not the text `\ufffd[2J`',
  );
});
