import { expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFigure,
} from '../../src/cli/terminal/format-number.ts';
import { renderTable } from '../../src/cli/terminal/layout.ts';

test('durations use a unit that suits their size', () => {
  const times = [
    0, 85.4, 999.4, 999.5, 3420, 59_949, 59_950, 65_000, 3_599_499, 3_600_000, 90_061_000, 273_600_000,
  ];
  expect(times.map(formatDuration)).toEqual([
    '0 ms',
    '85 ms',
    '999 ms',
    '1.0 s',
    '3.4 s',
    '59.9 s',
    '1m 00s',
    '1m 05s',
    '59m 59s',
    '1h 00m',
    '1d 01h',
    '3d 04h',
  ]);
});

test('figures have four significant digits and no needless zeros in exponents', () => {
  const figures = [
    0,
    1,
    0.97311,
    12.3456,
    123.456,
    62_025.4,
    5e-5,
    1.234e-7,
    -2.5,
    1e9,
    Number.NaN,
    Infinity,
  ];
  expect(figures.map(formatFigure)).toEqual([
    '0',
    '1.000',
    '0.9731',
    '12.35',
    '123.5',
    '62,025',
    '5e-5',
    '1.23e-7',
    '-2.500',
    '1e9',
    'NaN',
    'Infinity',
  ]);
});

test('counts and sizes are formatted for people', () => {
  expect([
    formatCount(1234567),
    formatBytes(0),
    formatBytes(999),
    formatBytes(1536),
    formatBytes(2.5e9),
  ]).toEqual(['1,234,567', '0 B', '999 B', '1.5 kB', '2.5 GB']);
});

test('a table lines up wide characters by the cells that they take', () => {
  const table = renderTable({
    head: ['name', 'value'],
    rows: [
      ['日本', '1'],
      ['ab', '12.50'],
    ],
    align: ['left', 'right'],
  });
  expect(table).toBe(['  name  value', '  日本      1', '  ab    12.50'].join('\n'));
});
