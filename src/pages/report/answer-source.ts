import type { AnswerIndex, AnswerRow } from '../../view/index.ts';

/** The answers of a table, which are in the file as compressed chunks and unpacked when they are needed. */
export interface AnswerSource extends Omit<AnswerIndex, 'flags'> {
  /** A byte for each row; `filters` says what the bits mean. */
  readonly flags: Uint8Array;
  /** The rows with these numbers, from 0, in the given order. */
  readonly rows: (numbers: readonly number[]) => Promise<readonly AnswerRow[]>;
  /** The numbers of the rows with a text anywhere, in either case; undefined if the search was given up. */
  readonly search: (
    text: string,
    request: { readonly signal: AbortSignal; readonly progress: (share: number) => void },
  ) => Promise<ReadonlySet<number> | undefined>;
}

/** Opens table number `table` of the report that this page holds. */
export async function openAnswers(index: AnswerIndex, table: number): Promise<AnswerSource> {
  const chunks = new Map<number, Promise<readonly AnswerRow[]>>();
  const texts = new Map<number, readonly string[]>();
  const chunk = (number: number): Promise<readonly AnswerRow[]> => {
    const known = chunks.get(number);
    if (known !== undefined) return known;
    const read = readChunk(`answers-${table}-${number}`);
    chunks.set(number, read);
    // Unpacked rows take many times the room of packed ones.
    if (chunks.size > MOST_CHUNKS) chunks.delete([...chunks.keys()][0] ?? number);
    return read;
  };
  return {
    ...index,
    flags: await unpacked(index.flags),
    async rows(numbers) {
      const wanted = numbers.map(async (number) => {
        const rows = await chunk(Math.floor(number / index.chunk_rows));
        return rows[number % index.chunk_rows];
      });
      return (await Promise.all(wanted)).filter((row) => row !== undefined);
    },
    async search(text, { signal, progress }) {
      const wanted = text.toLowerCase();
      const found = new Set<number>();
      const count = Math.ceil(index.count / index.chunk_rows);
      for (let number = 0; number < count; number++) {
        const lower = texts.get(number) ?? (await chunk(number)).map(searchedText);
        texts.set(number, lower);
        for (const [row, own] of lower.entries())
          if (own.includes(wanted)) found.add(number * index.chunk_rows + row);
        progress((number + 1) / count);
        // Lets the page take keys between chunks.
        await new Promise((resolve) => setTimeout(resolve));
        if (signal.aborted) return undefined;
      }
      return found;
    },
  };
}

const MOST_CHUNKS = 40;

const searchedText = ({ id, question, expected, answers }: AnswerRow): string =>
  [id, question, expected, ...answers.map((answer) => answer?.text ?? '')].join('\n').toLowerCase();

async function readChunk(id: string): Promise<readonly AnswerRow[]> {
  const packed = await textOf(id);
  // The command wrote it from rows of this type.
  return JSON.parse(new TextDecoder().decode(await unpacked(packed))) as readonly AnswerRow[];
}

/** The text of an element, which may come later in the file than this script. */
async function textOf(id: string): Promise<string> {
  if (document.getElementById(id) === null && document.readyState === 'loading')
    await new Promise((resolve) => addEventListener('DOMContentLoaded', resolve, { once: true }));
  const text = document.getElementById(id)?.textContent;
  if (text === null || text === undefined) throw new Error(`this file is not complete: ${id} is missing`);
  return text;
}

/** Decodes base64 and unpacks gzip. */
async function unpacked(packed: string): Promise<Uint8Array> {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
