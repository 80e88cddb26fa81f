import { isObject, type Json, type JsonObject } from '../../core/index.ts';
import { byteAlphabet } from './encoding-tokenizer-json.ts';
import { BertNormalizer, PrecompiledNormalizer } from './library-parts.ts';
import { patternOf } from './text-split.ts';

type Normalizer = (text: string) => string;

/** The `normalizer` of a tokenizer.json. Throws an Error that names what is not supported. */
export function normalizerOf(json: Json): Normalizer {
  if (!isObject(json)) return (text) => text;
  const { type } = json;
  switch (type) {
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (text) => text.normalize(type);
    case 'Lowercase':
      // One character at a time, so that a sigma at the end of a word is like any other.
      return (text) => Array.from(text, (character) => character.toLowerCase()).join('');
    case 'Strip':
      return stripOf(json);
    case 'StripAccents':
      return (text) => text.replace(/\p{M}/gu, '');
    case 'Replace': {
      const pattern = patternOf(json.pattern ?? null);
      const content = String(json.content ?? '');
      return (text) => text.replace(pattern, () => content);
    }
    case 'Prepend':
      return (text) => (text === '' ? '' : `${json.prepend ?? ''}${text}`);
    case 'ByteLevel':
      return bytesAsText;
    case 'Sequence': {
      const steps = (Array.isArray(json.normalizers) ? json.normalizers : []).map(normalizerOf);
      return (text) => steps.reduce((done, step) => step(done), text);
    }
    case 'BertNormalizer':
      return libraryNormalizer(new BertNormalizer(json));
    case 'Precompiled':
      return libraryNormalizer(new PrecompiledNormalizer(json));
    default:
      throw new Error(`its normalizer \`${type}\` is not supported`);
  }
}

const libraryNormalizer =
  (normalizer: { normalize(text: string): string }): Normalizer =>
  (text) =>
    normalizer.normalize(text);

function stripOf({ strip_left: left, strip_right: right }: JsonObject): Normalizer {
  return (text) => {
    const rest = left === true ? text.replace(/^\p{White_Space}+/u, '') : text;
    return right === true ? rest.replace(/\p{White_Space}+$/u, '') : rest;
  };
}

/** A text's UTF-8 bytes in the byte-level alphabet. */
export const bytesAsText = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => byteAlphabet[byte] ?? '').join('');
