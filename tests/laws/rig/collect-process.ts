import { setTimeout as sleep } from 'node:timers/promises';
import { planCollection } from '../../../src/runtime/collect/plan-collection.ts';
import { removeCollection } from '../../../src/runtime/collect/remove-collection.ts';
import { openStore } from '../../../src/runtime/store/store.ts';

// A program that runs gc on a store in a loop, forty days from now, until it is killed. Prints the number of results and
// files that each gc removed, and of those that it kept because they had been used.
const [, , root = ''] = process.argv;
const day = 24 * 60 * 60 * 1000;
for (;;) {
  const store = openStore(root);
  const now = new Date(Date.now() + 40 * day);
  const collection = planCollection(store, { now, olderThanMs: 30 * day, locked: new Set() });
  // A file that another process is writing now looks forty days old to this process alone.
  const goes = collection.goes.filter(({ kind }) => kind !== 'temporary');
  const { removed, blobs, spared } = await removeCollection(store, { ...collection, goes });
  console.log(JSON.stringify({ removed: removed.length, blobs, spared }));
  await sleep(2);
}
