import { openSafetensors, writeSafetensors } from '../../formats/index.ts';
import type { SegmentRole, TokenizedRecords, TokenSegment } from '../../text/index.ts';
import {
  int32Tensor,
  packRows,
  readCount,
  readStringList,
  rowOf,
  stringListTensor,
  unpackRows,
} from './packed-rows.ts';

/** A role is stored as its index here, so the order is part of the file format. */
const roles: readonly SegmentRole[] = ['prompt', 'header', 'response', 'end', 'tail', 'masked'];

/** Writes tokenized records as safetensors: the token ids of all records in sequence, and the end of each record. */
export async function writeTokens(path: string, content: TokenizedRecords): Promise<void> {
  const tokens = packRows(content.records.map((record) => record.tokens));
  const segmentEnds = packRows(content.records.map((record) => record.segments.map(({ end }) => end)));
  const segmentRoles = content.records.flatMap((record) =>
    record.segments.map(({ role }) => roles.indexOf(role)),
  );
  await writeSafetensors(path, {
    metadata: { vocabulary: content.vocabulary, end_of_text: String(content.endOfText) },
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
    ],
  });
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
  const records = ids.map((id, index) => ({
    id,
    tokens: rowOf(tokens, index, path),
    segments: segmentsOf(rowOf(segmentEnds, index, path), rowOf(segmentRoles, index, path)),
  }));
  return {
    records,
    vocabulary: file.metadata.vocabulary ?? '',
    endOfText: readCount(file, 'end_of_text'),
  };
}

function segmentsOf(ends: Int32Array, roleIndexes: Int32Array): TokenSegment[] {
  return Array.from(ends, (end, index) => ({ role: roles[roleIndexes[index] ?? 0] ?? 'prompt', end }));
}
