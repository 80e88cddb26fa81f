import { isList, isObject, type Json, type JsonObject } from '../../core/index.ts';
import { byteAlphabet } from './encoding-tokenizer-json.ts';
import { modelOf, type Vocabulary, vocabularyEntries } from './vocabulary.ts';

/** How the names of a vocabulary's tokens spell bytes. */
type Spelling = 'byte-level' | 'byte-fallback' | 'text';

const byteOf = new Map(byteAlphabet.map((character, byte) => [character, byte]));

/**
 * The UTF-8 bytes of each token of a tokenizer.json, by its decoder: a character of byte-level BPE is a byte, `<0xE2>`
 * of SentencePiece is one too, and its `▁` is a space.
 */
export function tokenBytes(json: JsonObject, { added }: Vocabulary): (token: number) => Uint8Array {
  const names = new Map(vocabularyEntries(modelOf(json)).map(([name, id]) => [id, name]));
  const texts = new Map(added.map(({ id, content }) => [id, content]));
  const decoders = decodersIn(json.decoder ?? null);
  const spelling = spellingOf(decoders);
  const space = spaceOf(decoders);
  return (token) => {
    const text = texts.get(token);
    if (text !== undefined) return Buffer.from(text, 'utf8');
    const name = names.get(token);
    return name === undefined ? new Uint8Array() : bytesOfName(name, { spelling, space });
  };
}

function bytesOfName(
  name: string,
  { spelling, space }: { readonly spelling: Spelling; readonly space: string | undefined },
): Uint8Array {
  if (spelling === 'byte-level')
    return Buffer.concat(
      Array.from(name, (character) => {
        const byte = byteOf.get(character);
        return byte === undefined ? Buffer.from(character, 'utf8') : Uint8Array.of(byte);
      }),
    );
  const byte = spelling === 'byte-fallback' ? /^<0x([0-9A-F]{2})>$/.exec(name)?.[1] : undefined;
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
  return Buffer.from(space === undefined ? name : name.replaceAll(space, ' '), 'utf8');
}

/** The decoder's steps. */
function decodersIn(decoder: Json): readonly JsonObject[] {
  if (!isObject(decoder)) return [];
  return decoder.type === 'Sequence' && isList(decoder.decoders)
    ? decoder.decoders.flatMap(decodersIn)
    : [decoder];
}

function spellingOf(decoders: readonly JsonObject[]): Spelling {
  const has = (type: string) => decoders.some((decoder) => decoder.type === type);
  return has('ByteLevel') ? 'byte-level' : has('ByteFallback') ? 'byte-fallback' : 'text';
}

/** What a decoder replaces with a space. */
function spaceOf(decoders: readonly JsonObject[]): string | undefined {
  for (const { type, pattern, content, replacement } of decoders) {
    if (type === 'Metaspace') return typeof replacement === 'string' ? replacement : '▁';
    const text = isObject(pattern) ? pattern.String : undefined;
    if (type === 'Replace' && content === ' ' && typeof text === 'string') return text;
  }
  return undefined;
}
