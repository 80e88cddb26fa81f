import stringWidth from 'string-width';

/** A line that is no wider than the terminal; what is cut off is shown as `…`. */
export function shortLine(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line;
  let kept = '';
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    width += stringWidth(segment);
    if (width >= columns) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}
