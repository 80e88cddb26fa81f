import type { JsonObject } from '../../core/index.ts';
import type { BundleContents, BundledRun } from '../contents.ts';
import type { MeasuredMember } from '../write-archive.ts';
import { dataEntities } from './data-entities.ts';
import { type Entity, type Reference, ref, refs, timestamp } from './entity.ts';
import { runEntities } from './run-entities.ts';

/** The name that RO-Crate gives the manifest of an archive. */
export const crateFile = 'ro-crate-metadata.json';

/** What a bundle says of itself besides what it holds. */
export interface Publication {
  /** An SPDX identifier, an address or any text. */
  readonly license: string | undefined;
  readonly author: { readonly name: string; readonly url: string | undefined } | undefined;
}

const crateVersion = 'https://w3id.org/ro/crate/1.1';
const workflowCrate = 'https://w3id.org/workflowhub/workflow-ro-crate/1.0';
const profiles: Readonly<Record<string, string>> = {
  'https://w3id.org/ro/wfrun/process/0.5': 'Process Run Crate',
  'https://w3id.org/ro/wfrun/workflow/0.5': 'Workflow Run Crate',
  'https://w3id.org/ro/wfrun/provenance/0.5': 'Provenance Run Crate',
  [workflowCrate]: 'Workflow RO-Crate',
};

/**
 * The manifest of a bundle: an RO-Crate that follows the profile Provenance Run Crate, which extends Workflow Run Crate
 * and Process Run Crate. Every member is listed with its size and sha256.
 */
export function crateOf(
  bundled: BundledRun,
  {
    contents,
    members,
    publication,
  }: {
    readonly contents: BundleContents;
    readonly members: readonly MeasuredMember[];
    readonly publication: Publication;
  },
): JsonObject {
  const { dag, run } = bundled;
  const { author } = publication;
  const authorId = author === undefined ? undefined : (author.url ?? '#author');
  const data = dataEntities(bundled, { contents, members });
  const execution = runEntities(bundled, { contents, data, agent: authorId });
  const [workflow, ...others] = execution.entities;
  const license = licenseOf(publication.license);
  const root: Entity = {
    '@id': './',
    '@type': 'Dataset',
    name: dag.name,
    description: `The pipeline ${dag.name}, the record of its run ${run.run} and results of it, written by tuneloom.`,
    datePublished: timestamp(run.startedAt, run.milliseconds),
    license: license.value,
    conformsTo: Object.keys(profiles).map(ref),
    mainEntity: ref(execution.workflow),
    hasPart: refs(data.parts),
    mentions: refs(execution.actions),
    ...(authorId !== undefined && { author: ref(authorId) }),
  };
  return {
    '@context': ['https://w3id.org/ro/crate/1.1/context', 'https://w3id.org/ro/terms/workflow-run/context'],
    '@graph': [
      {
        '@id': crateFile,
        '@type': 'CreativeWork',
        about: ref('./'),
        conformsTo: [ref(crateVersion), ref(workflowCrate)],
      },
      root,
      ...Object.entries(profiles).map(
        ([id, name]): Entity => ({
          '@id': id,
          '@type': 'CreativeWork',
          name,
          version: id.slice(id.lastIndexOf('/') + 1),
        }),
      ),
      ...license.entities,
      ...(author === undefined || authorId === undefined
        ? []
        : [{ '@id': authorId, '@type': 'Person', name: author.name } satisfies Entity]),
      ...others,
      ...data.entities.map((entity) =>
        entity['@id'] === execution.workflow ? { ...entity, ...workflow } : entity,
      ),
    ],
  };
}

function licenseOf(license: string | undefined): {
  readonly value: string | Reference;
  readonly entities: readonly Entity[];
} {
  if (license === undefined) return { value: 'No license is stated.', entities: [] };
  const isAddress = /^https?:\/\//.test(license);
  if (!isAddress && !/^[A-Za-z0-9][A-Za-z0-9.+-]*$/.test(license)) return { value: license, entities: [] };
  const id = isAddress ? license : `https://spdx.org/licenses/${license}`;
  const entity = {
    '@id': id,
    '@type': 'CreativeWork',
    name: license,
    description: `The license ${license}.`,
  };
  return { value: ref(id), entities: [entity] };
}
