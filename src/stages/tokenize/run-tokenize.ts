import { RecordProblems, UserError } from '../../core/index.ts';
import type { TokenizeConfig } from '../../generated/tokenize-config.ts';
import {
  commonPrefixLength,
  type FormattedRecord,
  openEncoding,
  openTokenizer,
  parseFormattedRecord,
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
        tokenizeRecord(parseFormattedRecord(record), tokenizer),
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
 * not a prefix of the whole's), that token belongs to the next segment. Adjacent segments of one role become one.
 */
export function tokenizeRecord({ id, segments }: FormattedRecord, tokenizer: Tokenizer): TokenizedRecord {
  const tokens = tokenizer.encode(segments);
  if (tokens.length === 0) throw new UserError({ code: 'no-tokens', message: 'its text has no tokens' });
  const last = segments.length - 1;
  let start = 0;
  const tiles = segments.flatMap(({ role }, index): readonly TokenSegment[] => {
    if (role === segments[index + 1]?.role) return [];
    const beginning = segments.slice(0, index + 1);
    const end = index === last ? tokens.length : commonPrefixLength(tokenizer.encode(beginning), tokens);
    start = Math.max(start, end);
    return [{ role, end: start }];
  });
  return { id, tokens, segments: tiles };
}
