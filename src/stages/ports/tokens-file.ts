import { openSafetensors, writeSafetensors } from '../../formats/index.ts';
import type { SegmentRole, TokenizedRecords, TokenizedText, TokenSegment } from '../../text/index.ts';
import {
  int32Tensor,
  packRows,
  readCount,
  readPreference,
  readStringList,
  rowOf,
  stringListTensor,
  unpackRows,
} from './packed-rows.ts';

/** A role is stored as its index here, so the order is part of the file format. */
const roles: readonly SegmentRole[] = ['prompt', 'header', 'response', 'end', 'tail', 'masked', 'end_text'];

/**
 * Writes tokenized records as safetensors: the token ids of all texts in sequence, and the end of each text. A pair has
 * two texts, the preferred one first.
 */
export async function writeTokens(path: string, content: TokenizedRecords): Promise<void> {
  const { preference } = content;
  const texts = textsIn(content);
  const tokens = packRows(texts.map((text) => text.tokens));
  const segmentEnds = packRows(texts.map((text) => text.segments.map(({ end }) => end)));
  const segmentRoles = texts.flatMap((text) => text.segments.map(({ role }) => roles.indexOf(role)));
  await writeSafetensors(path, {
    metadata: {
      vocabulary: content.vocabulary,
      end_of_text: String(content.endOfText),
      ...(preference && { preference }),
    },
    tensors: [
      int32Tensor('tokens', tokens.values),
      int32Tensor('token_ends', tokens.ends),
      int32Tensor('segments', segmentEnds.values),
      int32Tensor('segment_ends', segmentEnds.ends),
      int32Tensor('segment_roles', Int32Array.from(segmentRoles)),
      stringListTensor(
        'ids',
        content.records.map((record) => record.id),
      ),
      ...(preference === 'unpaired'
        ? [
            int32Tensor(
              'desirable',
              Int32Array.from(content.records, ({ desirable }) => Number(desirable)),
            ),
          ]
        : []),
    ],
  });
}

function textsIn(content: TokenizedRecords): readonly TokenizedText[] {
  switch (content.preference) {
    case 'paired':
      return content.records.flatMap(({ chosen, rejected }) => [chosen, rejected]);
    case 'unpaired':
      return content.records.map(({ answer }) => answer);
    default:
      return content.records;
  }
}

export async function readTokens(path: string): Promise<TokenizedRecords> {
  await using file = await openSafetensors(path);
  const rows = async (values: string, ends: string) =>
    unpackRows({ values: await file.readInt32(values), ends: await file.readInt32(ends) }, path);
  const ids = await readStringList(file, 'ids');
  const tokens = await rows('tokens', 'token_ends');
  const segmentEnds = await rows('segments', 'segment_ends');
  const segmentRoles = unpackRows(
    { values: await file.readInt32('segment_roles'), ends: await file.readInt32('segment_ends') },
    path,
  );
  const textAt = (index: number): TokenizedText => ({
    tokens: rowOf(tokens, index, path),
    segments: segmentsOf(rowOf(segmentEnds, index, path), rowOf(segmentRoles, index, path)),
  });
  const set = { vocabulary: file.metadata.vocabulary ?? '', endOfText: readCount(file, 'end_of_text') };
  const preference = readPreference(file);
  switch (preference) {
    case 'paired': {
      const records = ids.map((id, index) => ({
        id,
        chosen: textAt(2 * index),
        rejected: textAt(2 * index + 1),
      }));
      return { ...set, preference, records };
    }
    case 'unpaired': {
      const desirable = await file.readInt32('desirable');
      const records = ids.map((id, index) => ({
        id,
        answer: textAt(index),
        desirable: desirable[index] === 1,
      }));
      return { ...set, preference, records };
    }
    default:
      return { ...set, records: ids.map((id, index) => ({ id, ...textAt(index) })) };
  }
}

function segmentsOf(ends: Int32Array, roleIndexes: Int32Array): TokenSegment[] {
  return Array.from(ends, (end, index) => ({ role: roles[roleIndexes[index] ?? 0] ?? 'prompt', end }));
}
