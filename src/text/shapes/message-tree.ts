import { type JsonObject, numberIn, RecordProblems, UserError } from '../../core/index.ts';
import type { DataRecord } from '../records.ts';
import { requiredText } from '../template/row-field.ts';

/** `best`: of each tree the conversation that takes the best-ranked reply each time. `all`: every branch of it. */
export type Branches = 'best' | 'all';

export interface TreeConversations {
  /** Each has its turns in `messages`, and the id of its last message's record. */
  readonly records: readonly DataRecord[];
  readonly trees: number;
  /** Messages that are in no conversation: of other branches, questions without a reply, and deleted ones. */
  readonly left: number;
}

interface Message {
  readonly record: DataRecord;
  readonly messageId: string;
  readonly parentId: string | undefined;
  readonly replies: Message[];
}

/**
 * The conversations in a flat list of messages that name their parents, as OpenAssistant publishes them: `message_id`,
 * `parent_id`, `text`, `role` (`prompter` or `assistant`), and `rank`, 0 for the best reply. Throws a UserError for
 * messages whose parents are missing.
 */
export function conversationsOfTrees(records: readonly DataRecord[], branches: Branches): TreeConversations {
  const roots = rootsOf(records);
  const answers = roots.flatMap((root) => pathsFrom(root, branches)).flatMap(answered);
  // Branches that differ only in questions without a reply have the same last reply.
  const paths = [...new Map(answers.map((path) => [path.at(-1), path])).values()];
  const used = new Set(paths.flat());
  return { records: paths.map(recordOf), trees: roots.length, left: records.length - used.size };
}

function rootsOf(records: readonly DataRecord[]): readonly Message[] {
  const problems = new RecordProblems('are no messages of a tree');
  const messages = new Map<string, Message>();
  for (const record of records)
    problems.collect({ id: record.id }, () => {
      const message = messageOf(record);
      if (messages.has(message.messageId))
        throw new UserError({
          code: 'bad-tree',
          message: `there is already a message ${message.messageId}`,
        });
      messages.set(message.messageId, message);
    });
  problems.throwIfAny();
  const roots: Message[] = [];
  const orphans = new RecordProblems('are no messages of a tree');
  for (const message of messages.values())
    orphans.collect({ id: message.record.id }, () => {
      if (message.parentId === undefined) roots.push(message);
      else parentOf(message, messages).replies.push(message);
    });
  orphans.throwIfAny();
  checkReached({ messages, roots });
  return roots;
}

function messageOf(record: DataRecord): Message {
  const { parent_id: parent } = record;
  if (typeof record.parent_id !== 'string' && parent !== null && parent !== undefined)
    throw new UserError({ code: 'bad-tree', message: 'its `parent_id` is no text' });
  requiredText(record, 'text');
  return {
    record,
    messageId: requiredText(record, 'message_id'),
    parentId: typeof parent === 'string' && parent !== '' ? parent : undefined,
    replies: [],
  };
}

function parentOf({ parentId = '' }: Message, messages: ReadonlyMap<string, Message>): Message {
  const parent = messages.get(parentId);
  if (parent !== undefined) return parent;
  throw new UserError({
    code: 'bad-tree',
    message: `its parent ${parentId} is not among the records`,
    help: 'give this stage whole trees: filter and split the conversations that it writes, not their messages',
  });
}

/** Messages that are their own ancestors are below no root. */
function checkReached({
  messages,
  roots,
}: {
  readonly messages: ReadonlyMap<string, Message>;
  readonly roots: readonly Message[];
}): void {
  const reached = new Set<Message>();
  const waiting = [...roots];
  for (let message = waiting.pop(); message !== undefined; message = waiting.pop()) {
    reached.add(message);
    waiting.push(...message.replies);
  }
  const lost = [...messages.values()].filter((message) => !reached.has(message));
  if (lost.length === 0) return;
  throw new UserError({
    code: 'bad-tree',
    message: `${lost.length} of ${messages.size} messages are replies to themselves, through their parents`,
    records: lost.map(({ record }) => ({ id: record.id })),
  });
}

function pathsFrom(root: Message, branches: Branches): readonly (readonly Message[])[] {
  const paths: (readonly Message[])[] = [];
  const waiting: (readonly Message[])[] = isDeleted(root) ? [] : [[root]];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const replies = (path.at(-1)?.replies ?? []).filter((reply) => !isDeleted(reply)).sort(byRank);
    if (replies.length === 0) paths.push(path);
    const taken = branches === 'best' ? replies.slice(0, 1) : replies.toReversed();
    for (const reply of taken) waiting.push([...path, reply]);
  }
  return paths;
}

const isDeleted = ({ record }: Message): boolean => record.deleted === true;

const rankOf = ({ record }: Message): number => numberIn(record.rank) ?? Number.POSITIVE_INFINITY;

/** Without ranks, in the order of the data. */
const byRank = (one: Message, other: Message): number =>
  rankOf(one) === rankOf(other) ? 0 : rankOf(one) - rankOf(other);

/** The path up to its last reply of the assistant; none if there is no such reply. */
function answered(path: readonly Message[]): readonly (readonly Message[])[] {
  const last = path.findLastIndex(({ record }) => record.role === 'assistant');
  return last === -1 ? [] : [path.slice(0, last + 1)];
}

function recordOf(path: readonly Message[]): DataRecord {
  const leaf = path.at(-1)?.record;
  const [root] = path;
  const messages = path.map(
    ({ record }): JsonObject => ({
      role: record.role === 'prompter' ? 'user' : (record.role ?? ''),
      content: record.text ?? '',
    }),
  );
  const kept = ['message_tree_id', 'lang', 'dataset'].flatMap((name) => {
    const value = root?.record[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { id: leaf?.id ?? '', messages, ...Object.fromEntries(kept) };
}
