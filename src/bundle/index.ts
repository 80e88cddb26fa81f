export { isPublicAddress, settingsPath } from './bundled-settings.ts';
export { type BundledRun, type BundlePart, bundleParts } from './contents.ts';
export type { Publication } from './crate/crate.ts';
export { type OpenedBundle, openBundle } from './open-bundle.ts';
export { type WrittenBundle, writeBundle } from './write-bundle.ts';
