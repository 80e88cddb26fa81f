import type { Stream } from './port-contents.ts';

/** The whole of a stream, for stages that need all of it at once. */
export async function readAll<Item>(stream: Stream<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
