import { jsonText } from '../../core/index.ts';
import { type Digest, openContent, type Plan, type Store } from '../../runtime/index.ts';
import type { KnownPortType } from '../../stages/index.ts';
import { isEncodingName, openEncoding, openTokenizer, type Tokenizer } from '../../text/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { openArtifact } from '../open-artifact.ts';
import { noteText } from '../reporter/reporter.ts';
import { showBatches } from './show-batches.ts';
import { showHistory } from './show-history.ts';
import { showAdapter, showFile, showModel, showTokenizer } from './show-model.ts';
import { showRecords, showResponses, showTokens } from './show-records.ts';
import { showScores } from './show-scores.ts';
import type { Shown, ShowSource } from './shown.ts';

/** `tuneloom show`: prints one artifact in readable form. */
export async function showCommand(call: CommandCall<ShowOptions>): Promise<ExitCode> {
  const { options, context } = call;
  const { terminal } = context;
  const artifact = await openArtifact(call);
  if (artifact === undefined) return exitCode.badUsage;
  await using opened = artifact;
  const { reference, digest, store, plan } = opened;
  const { type, part, output, node } = reference;
  const show = isKnown(type) ? showByType[type] : showFile; // a type that only a user's stage has is shown as a file
  const shown = await show({
    path: opened.path,
    limit: options.limit ?? (options.csv ? Number.POSITIVE_INFINITY : undefined),
    offset: options.offset,
    epoch: options.epoch,
    batch: options.batch,
    keep: node.config.keep,
    tokenizer: (vocabulary) => findTokenizer(vocabulary, { store, plan }),
  });
  const place = { stage: node.id, output, ...(part === undefined ? {} : { part }), type, digest };
  const decision = opened.pastRun === undefined ? plan.stages.get(node.id)?.decision : undefined;
  const warnings = decision?.kind === 'reuse' ? (decision.record.warnings ?? []) : [];
  const kept = warnings.length > 0 && { warnings };
  if (!options.json)
    for (const { message, records = [] } of warnings)
      terminal.complain(
        `warning: ${noteText({ type: 'note', level: 'warning', message, records: records.map((id) => ({ id })) })}`,
      );
  if (options.csv) {
    if (shown.csv === undefined)
      throw new UsageError({
        message: `\`${node.id}\` is of type ${type}, which is no table`,
        help: '--csv prints a history, scores and answers; --json prints everything',
      });
    const { stringify } = await import('csv-stringify/sync');
    const names = [...new Set(shown.csv.flatMap((each) => Object.keys(each)))];
    terminal.write(stringify([...shown.csv], { header: true, columns: names, cast: { boolean: String } }));
    return exitCode.success;
  }
  terminal.print(options.json ? jsonText({ ...place, ...kept, content: shown.json }) : shown.text(terminal));
  return exitCode.success;
}

interface ShowOptions extends PipelineOptions {
  readonly limit?: number;
  readonly offset: number;
  readonly epoch: number;
  readonly batch: number;
  readonly csv?: boolean;
}

const showByType: { readonly [Type in KnownPortType]: (source: ShowSource) => Promise<Shown> } = {
  records: showRecords,
  responses: showResponses,
  tokens: showTokens,
  batches: showBatches,
  model: showModel,
  adapter: showAdapter,
  tokenizer: showTokenizer,
  history: showHistory,
  scores: showScores,
  file: showFile,
};

const isKnown = (type: string): type is KnownPortType => Object.hasOwn(showByType, type);

/** The tokenizer with a vocabulary: a named encoding, or one among the outputs of the planned stages. */
async function findTokenizer(
  vocabulary: string,
  { store, plan }: { store: Store; plan: Plan },
): Promise<Tokenizer | undefined> {
  if (isEncodingName(vocabulary)) return await openEncoding(vocabulary);
  for (const digest of tokenizerDigests(plan)) {
    await using content = await openContent(store, digest);
    const tokenizer = await openTokenizer(content.path).catch(() => undefined);
    if (tokenizer?.vocabulary === vocabulary) return tokenizer;
  }
  return undefined;
}

function tokenizerDigests({ stages }: Plan): readonly Digest[] {
  return [...stages.values()].flatMap(({ node, decision }) => {
    if (decision.kind !== 'reuse') return [];
    return Object.entries(decision.record.outputs).flatMap(([name, content]) => {
      const type = node.ports.outputs[name]?.type;
      return (type === 'tokenizer' || type === 'model') && typeof content === 'string' ? [content] : [];
    });
  });
}
