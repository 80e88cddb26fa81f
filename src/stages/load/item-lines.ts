/** The lines on which the items of a list begin, in a text that is one JSON list. The first line is 1. */
export function itemLines(text: string): readonly number[] {
  const lines: number[] = [];
  let line = 1;
  let depth = 0;
  let isItemDue = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '\n') line += 1;
    if (whiteSpace.has(character)) continue;
    if (character === ']' || character === '}') {
      depth -= 1;
      isItemDue = false;
      continue;
    }
    if (isItemDue) lines.push(line);
    if (character === '"') at = endOfString(text, at);
    if (character === '[' || character === '{') depth += 1;
    isItemDue = depth === 1 && (character === ',' || character === '[');
  }
  return lines;
}

const whiteSpace = new Set([' ', '\t', '\r', '\n']);

/** The place of the quotation mark that closes the string which begins at `start`. A string has no line breaks. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
