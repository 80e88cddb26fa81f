import type { Json } from '../../core/index.ts';

const milliseconds = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const bytes = {
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  kiB: 2 ** 10,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** `90s`, `2h` or a number of seconds, in milliseconds; undefined where it is neither. */
export function parseDuration(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value * 1000 : parseQuantity(value, milliseconds);
}

/** `4GB`, `512MiB` or a number of bytes, in bytes; undefined where it is neither. */
export function parseMemory(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : parseQuantity(value, bytes);
}

function parseQuantity(value: Json | undefined, units: Readonly<Record<string, number>>): number | undefined {
  if (typeof value !== 'string') return undefined;
  const [, amount, unit = ''] = /^([\d.]+) ?([A-Za-z]+)$/.exec(value) ?? [];
  const factor = units[unit];
  return amount === undefined || factor === undefined ? undefined : Math.round(Number(amount) * factor);
}
