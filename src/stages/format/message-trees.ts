import type { FormatConfig } from '../../generated/format-config.ts';
import { conversationsOfTrees, type DataRecord, shapeFits } from '../../text/index.ts';
import { readAll, type Stream } from '../ports/port-contents.ts';
import { templateKind } from './template-kind.ts';

interface TreeReading {
  readonly config: FormatConfig;
  readonly note: (message: string) => void;
}

/**
 * The records; for a chat template, where they are messages of OpenAssistant's trees, the conversations of those instead,
 * for which all of them have to be read first.
 */
export async function treesIn(
  records: Stream<DataRecord>,
  { config, note }: TreeReading,
): Promise<Stream<DataRecord> | readonly DataRecord[]> {
  const { field, shape, branches = 'best' } = config.conversation;
  const isSought = field === undefined && (shape === undefined || shape === 'oasst');
  if (templateKind(config).kind !== 'chat' || !isSought) return records;
  const rest = records[Symbol.asyncIterator]();
  const first = await rest.next();
  if (first.done === true) return [];
  const whole = withFirst(first.value, rest);
  if (shape !== 'oasst' && !shapeFits('oasst', first.value)) return whole;
  const { records: found, trees, left } = conversationsOfTrees(await readAll(whole), branches);
  const taken = branches === 'best' ? 'the best-ranked reply each time' : 'every branch';
  note(
    `${trees} trees of messages, OpenAssistant's layout, are ${found.length} conversations, with ${taken}; ${left} messages are in none`,
  );
  return found;
}

async function* withFirst(first: DataRecord, rest: AsyncIterator<DataRecord>): AsyncGenerator<DataRecord> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
