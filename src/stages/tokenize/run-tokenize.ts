import { RecordProblems, UserError } from '../../core/index.ts';
import type { TokenizeConfig } from '../../generated/tokenize-config.ts';
import {
  type BosRule,
  commonPrefixLength,
  encodeFrom,
  type FormattedRecord,
  isChat,
  openEncoding,
  openTokenizer,
  parseFormattedRecord,
  type Segment,
  startToken,
  type TokenizedRecord,
  type Tokenizer,
  type TokenSegment,
} from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import type { Folder } from '../ports/port-contents.ts';

export const { run } = implementStage<TokenizeConfig>()({
  inputs: { records: 'records', tokenizer: 'tokenizer?' },
  outputs: { tokens: 'tokens' },
  async run({ config, inputs, outputs }) {
    const tokenizer = await tokenizerFrom(config, inputs.tokenizer);
    const problems = new RecordProblems('cannot be tokenized');
    const records: TokenizedRecord[] = [];
    for await (const record of inputs.records) {
      const tokenized = problems.collect({ id: record.id }, () =>
        tokenizeRecord(parseFormattedRecord(record), { ...tokenizer, bos: config.bos }),
      );
      if (tokenized !== undefined) records.push(tokenized);
    }
    problems.throwIfAny();
    const { vocabulary, endOfText } = tokenizer;
    await outputs.tokens.write({ records, vocabulary, endOfText });
  },
});

async function tokenizerFrom({ encoding }: TokenizeConfig, folder: Folder | undefined): Promise<Tokenizer> {
  if (encoding !== undefined) return openEncoding(encoding);
  if (folder !== undefined) return openTokenizer(folder.path);
  throw new Error('Neither an encoding nor a tokenizer was given'); // the declared ports prevent it
}

/**
 * A record's text as token ids. The whole text is encoded once, so that the ids are those that a model reads. A segment
 * ends where the encoding of the text up to its end does. If a token spans the boundary (the ids of the beginning are
 * not a prefix of the whole's), that token belongs to the next segment. Adjacent segments of one role become one. The
 * token that begins the text, if it gets one, is part of the prompt.
 */
export function tokenizeRecord(
  record: FormattedRecord,
  tokenizer: Tokenizer & { readonly bos?: BosRule },
): TokenizedRecord {
  const { id, segments } = record;
  const { bos = 'auto' } = tokenizer;
  const beginning = startToken(tokenizer, { bos, isChat: isChat(record) });
  const encode = (text: readonly Segment[]) => encodeFrom(beginning, { tokenizer, text });
  const tokens = encode(segments);
  const added = beginning === undefined ? 0 : 1;
  if (tokens.length === added) throw new UserError({ code: 'no-tokens', message: 'its text has no tokens' });
  const last = segments.length - 1;
  let start = 0;
  const tiles = segments.flatMap(({ role }, index): readonly TokenSegment[] => {
    if (role === segments[index + 1]?.role) return [];
    const end =
      index === last ? tokens.length : commonPrefixLength(encode(segments.slice(0, index + 1)), tokens);
    start = Math.max(start, end);
    return [{ role, end: start }];
  });
  const opening: readonly TokenSegment[] =
    added > 0 && segments[0]?.role !== 'prompt' ? [{ role: 'prompt', end: added }] : [];
  return { id, tokens, segments: [...opening, ...tiles] };
}
