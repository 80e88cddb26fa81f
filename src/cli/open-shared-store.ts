import type { Remotes, Store } from '../runtime/index.ts';
import { settingsOf, storeIn } from './open-settings.ts';

/**
 * The chain of stores that the settings name, for a command that shows or uses results: what only a remote has is brought
 * when it is needed. Until then, no remote is asked.
 */
export async function sharedStoreOf(call: SharedStoreCall): Promise<Store> {
  const { context, options } = call;
  const settings = await settingsOf(call);
  const store = storeIn(settings, context);
  if (settings.remotes.size === 0 && settings.withheld === undefined) return store;
  let remotes: Promise<Remotes> | undefined;
  return {
    ...store,
    bring: async (contents) => {
      remotes ??= openRemotesOf(call);
      const { bringContents } = await import('./use-remotes.ts');
      await bringContents({ store, remotes: await remotes, contents, context, json: options.json });
    },
  };
}

type SharedStoreCall = Parameters<typeof settingsOf>[0] & { readonly options: { readonly json?: boolean } };

async function openRemotesOf(call: SharedStoreCall): Promise<Remotes> {
  const [{ usableSettings }, { complainOf, openRemotes }] = await Promise.all([
    import('./approve-settings.ts'),
    import('./use-remotes.ts'),
  ]);
  const { context } = call;
  return await openRemotes(await usableSettings(call), { context, onProblem: complainOf(context) });
}
