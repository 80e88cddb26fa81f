import { RecordProblems, UserError } from '../../core/index.ts';
import type { TokenizeConfig } from '../../generated/tokenize-config.ts';
import {
  type BosRule,
  commonPrefixLength,
  encodeFrom,
  type FormattedRecord,
  isChat,
  type LabeledText,
  openEncoding,
  openTokenizer,
  parseFormattedRecord,
  type Segment,
  startToken,
  type TokenizedPair,
  type TokenizedRecord,
  type TokenizedRecords,
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
    const records: TokenizedItem[] = [];
    for await (const record of inputs.records) {
      const tokenized = problems.collect({ id: record.id }, () =>
        tokenizeItem(parseFormattedRecord(record), { ...tokenizer, bos: config.bos }),
      );
      if (tokenized !== undefined) records.push(tokenized);
    }
    problems.throwIfAny();
    await outputs.tokens.write(ofOneKind(records, tokenizer));
  },
});

type TokenizedItem = TokenizedRecord | TokenizedPair | LabeledText;

/** A record to learn, or with its preference the texts that are compared. */
function tokenizeItem(record: FormattedRecord, tokenizer: Encoder): TokenizedItem {
  const { id, preference } = record;
  const { tokens, segments } = tokenizeRecord(record, tokenizer);
  if (preference === undefined) return { id, tokens, segments };
  if ('desirable' in preference) return { id, answer: { tokens, segments }, desirable: preference.desirable };
  const rejected = tokenizeRecord({ ...record, segments: preference.rejected }, tokenizer);
  return {
    id,
    chosen: { tokens, segments },
    rejected: { tokens: rejected.tokens, segments: rejected.segments },
  };
}

/** Throws if some of the records are examples to learn and others are preferences. */
function ofOneKind(
  items: readonly TokenizedItem[],
  { vocabulary, endOfText }: Pick<Tokenizer, 'vocabulary' | 'endOfText'>,
): TokenizedRecords {
  const set = { vocabulary, endOfText };
  const pairs = items.filter((item) => 'chosen' in item);
  const labeled = items.filter((item) => 'desirable' in item);
  const examples = items.filter((item) => 'tokens' in item);
  switch (items.length) {
    case examples.length:
      return { ...set, records: examples };
    case pairs.length:
      return { ...set, preference: 'paired', records: pairs };
    case labeled.length:
      return { ...set, preference: 'unpaired', records: labeled };
    default:
      throw new UserError({
        code: 'mixed-records',
        message: `${pairs.length} records are pairs of answers, ${labeled.length} are labeled answers and ${examples.length} are examples, which no training reads together`,
        help: 'format all records with the same `preference`, or with none',
      });
  }
}

type Encoder = Tokenizer & { readonly bos?: BosRule };

async function tokenizerFrom({ encoding }: TokenizeConfig, folder: Folder | undefined): Promise<Tokenizer> {
  if (encoding !== undefined) return openEncoding(encoding);
  if (folder !== undefined) return openTokenizer(folder.path);
  throw new Error('Neither an encoding nor a tokenizer was given'); // the declared ports prevent it
}

/**
 * A record's text as token ids. The whole text is encoded once, so that the ids are those that a model reads. A segment
 * ends where the encoding of the text up to its end does. If a token spans the boundary (the ids of the beginning are
 * not a prefix of the whole's), that token belongs to the next segment, but to a text that ends an answer, which is
 * learned to its last character. Adjacent segments of one role become one. The token that begins the text, if it gets
 * one, is part of the prompt.
 */
export function tokenizeRecord(record: FormattedRecord, tokenizer: Encoder): TokenizedRecord {
  const { id, segments } = record;
  const { bos = 'auto' } = tokenizer;
  const beginning = startToken(tokenizer, { bos, isChat: isChat(record) });
  const encode = (text: readonly Segment[]) => encodeFrom(beginning, { tokenizer, text });
  const tokens = encode(segments);
  const added = beginning === undefined ? 0 : 1;
  if (tokens.length === added) throw new UserError({ code: 'no-tokens', message: 'its text has no tokens' });
  const last = segments.length - 1;
  const endOf = (index: number): number => {
    const upTo = encode(segments.slice(0, index + 1));
    const end = commonPrefixLength(upTo, tokens);
    return segments[index]?.role === 'end_text' && end < upTo.length ? end + 1 : end;
  };
  let start = 0;
  const tiles = segments.flatMap(({ role }, index): readonly TokenSegment[] => {
    if (role === segments[index + 1]?.role) return [];
    start = Math.max(start, index === last ? tokens.length : endOf(index));
    return [{ role, end: start }];
  });
  const opening: readonly TokenSegment[] =
    added > 0 && segments[0]?.role !== 'prompt' ? [{ role: 'prompt', end: added }] : [];
  return { id, tokens, segments: [...opening, ...tiles] };
}
