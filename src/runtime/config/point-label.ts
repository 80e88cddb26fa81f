import { createHash } from 'node:crypto';
import { yamlToJson } from '../source/yaml-to-json.ts';
import type { SweepPoint } from './sweep-points.ts';

/** What a point is called, `epochs=2,learning_rate=0.0001`, in the order of the names' code units. */
export const pointLabel = (point: SweepPoint, names: Iterable<string> = point.keys()): string =>
  [...names]
    .sort()
    .map((name) => `${name}=${valueText(point, name)}`)
    .join(',');

/** Any other text is told apart from what it looks like by a few digits of its hash. */
function valueText(point: SweepPoint, name: string): string {
  const entry = point.get(name);
  const value = entry === undefined ? 'default' : yamlToJson(entry.value);
  const text = String(value);
  const isPlain = typeof value !== 'string' || /^(?!true$|false$)[A-Za-z][\w.+-]{0,39}$/.test(text);
  if (isPlain) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 6);
  return `${text.replaceAll(/[^\w.+-]+/g, '-').slice(0, 40)}-${hash}`;
}
