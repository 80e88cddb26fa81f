import type { TokenizeConfig } from '../../generated/tokenize-config.ts';
import { parseFormattedRecord } from '../../text/parse-record.ts';
import type { TokenizedRecord } from '../../text/tokenized-record.ts';
import { openEncoding } from '../../text/tokenizer/encoding-tokenizer.ts';
import { openTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import { tokenizeRecord } from '../../text/tokenizer/tokenize-record.ts';
import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import { implementStage } from '../implement-stage.ts';
import type { Folder } from '../ports/port-contents.ts';
import { RecordProblems } from '../record-problems.ts';

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
  throw new Error('neither an encoding nor a tokenizer was given'); // The declared ports do not let this happen.
}
