import { join } from 'node:path';
import type { Store } from '../store/store.ts';
import { storeLayout } from '../store/store-layout.ts';
import type { Holding, HoldingKind } from './holding.ts';
import { entriesOf, extentOf } from './walk.ts';

/** Folder -> what each of its entries is. */
const folders: readonly (readonly [string, HoldingKind])[] = [
  [storeLayout.memo, 'memo'],
  [storeLayout.checkpoints, 'checkpoint'],
  [storeLayout.state, 'attempt'],
  ['sources', 'source'],
  ['downloads', 'temporary'],
  [storeLayout.temporary, 'temporary'],
];

/** All that stands in a store beside results, their blobs and runs. */
export const otherHoldings = ({ root }: Store): readonly Holding[] =>
  folders.flatMap(([folder, kind]) =>
    entriesOf(join(root, folder)).map(({ name }) => {
      const path = join(folder, name);
      return { kind, path, name: path, ...extentOf(join(root, path)) };
    }),
  );
