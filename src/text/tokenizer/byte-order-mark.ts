import type { JsonObject } from '../../json.ts';
import type { Vocabulary } from './tokenizer-json.ts';

const mark = '\uFEFF';
const bytesOfMark = ['<0xEF>', '<0xBB>', '<0xBF>'];

/**
 * A vocabulary's single bytes are decoded as UTF-8, and the JavaScript library's way leaves out a byte order mark. So the
 * decoder is given one more token, with that id, to decode in the place of its three bytes.
 */
export function withByteOrderMark(json: JsonObject, id: number): JsonObject {
  const added = Array.isArray(json.added_tokens) ? json.added_tokens : [];
  return { ...json, added_tokens: [...added, { id, content: mark, special: false, normalized: false }] };
}

/** `readable` puts that token in the place of the three bytes, where the vocabulary has such bytes. */
export function byteOrderMark({ idOf, size }: Vocabulary): {
  readable: (ids: readonly number[]) => number[];
} {
  const [first, second, third] = bytesOfMark.map(idOf);
  if (first === undefined || second === undefined || third === undefined)
    return { readable: (ids) => [...ids] };
  const isMark = (ids: readonly number[], at: number) =>
    ids[at] === first && ids[at + 1] === second && ids[at + 2] === third;
  return {
    readable: (ids) =>
      ids.flatMap((id, at) => {
        if (isMark(ids, at)) return [size];
        return isMark(ids, at - 1) || isMark(ids, at - 2) ? [] : [id];
      }),
  };
}
