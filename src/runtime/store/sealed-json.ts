import { sha256 } from '../key/digest.ts';

const seal = /,\n "seal": "([0-9a-f]{64})"\n\}\n$/;

/** Adds a last field to the text of a JSON object: the hash of everything before it. */
export function sealJson(text: string): string {
  const body = text.slice(0, text.lastIndexOf('}')).trimEnd();
  return `${body},\n "seal": "${sha256(body)}"\n}\n`;
}

/** Parses a JSON text. Throws a SyntaxError if it is invalid or its seal is broken. */
export function parseSealed(text: string): unknown {
  const found = seal.exec(text);
  if (found !== null && sha256(text.slice(0, found.index)) !== found[1])
    throw new SyntaxError('the seal is broken');
  return JSON.parse(text);
}
