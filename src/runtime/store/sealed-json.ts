import { sha256 } from './digest.ts';

const seal = /,\n "seal": "([0-9a-f]{64})"\n\}\n$/;

/** The text of a JSON object with one more field, last: the hash of all before it. */
export function sealJson(text: string): string {
  const body = text.slice(0, text.lastIndexOf('}')).trimEnd();
  return `${body},\n "seal": "${sha256(body)}"\n}\n`;
}

/** The value of a JSON text. Throws a SyntaxError where it is none, or where it has a seal and is not what was sealed. */
export function parseSealed(text: string): unknown {
  const found = seal.exec(text);
  if (found !== null && sha256(text.slice(0, found.index)) !== found[1])
    throw new SyntaxError('this is not what was written');
  return JSON.parse(text);
}
