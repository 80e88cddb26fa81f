import { formatCount, formatFigure, type Json, type JsonObject } from '../../core/index.ts';
import type { ResponseRecord } from '../../server/index.ts';
import type { BatchView } from '../../view/index.ts';
import { DataText, LongText } from '../components/text.tsx';
import {
  File,
  type FileFacts,
  History,
  Model,
  type ModelFacts,
  type Score,
  Scores,
  spelled,
} from './artifact-tables.tsx';

interface Window<Item> {
  readonly items: readonly Item[];
  readonly total: number;
}

interface Segments {
  readonly id: string;
  readonly segments: readonly {
    role: string;
    tokens: readonly number[];
    texts: readonly (string | undefined)[];
  }[];
}

/** A content as the server answers it. */
export type Artifact =
  | ({ readonly type: 'records' } & Window<JsonObject>)
  | ({ readonly type: 'responses' } & Window<ResponseRecord>)
  | ({ readonly type: 'tokens' } & Window<Segments>)
  | ({ readonly type: 'batches' } & BatchView)
  | { readonly type: 'history'; readonly entries: readonly JsonObject[] }
  | { readonly type: 'scores'; readonly scores: { readonly metrics: readonly Score[] } }
  | ({ readonly type: 'model' | 'tokenizer' } & ModelFacts)
  | ({ readonly type: 'file' } & FileFacts);

export function ArtifactView({ artifact, find }: { readonly artifact: Artifact; readonly find: string }) {
  switch (artifact.type) {
    case 'records':
      return <List items={artifact.items} fields={recordFields} find={find} />;
    case 'responses':
      return <List items={artifact.items} fields={responseFields} find={find} />;
    case 'tokens':
      return <List items={artifact.items} fields={tokenFields} find={find} />;
    case 'batches':
      return <Batch view={artifact} />;
    case 'history':
      return <History entries={artifact.entries} />;
    case 'scores':
      return <Scores metrics={artifact.scores.metrics} />;
    case 'model':
    case 'tokenizer':
      return <Model {...artifact} />;
    default:
      return <File {...artifact} />;
  }
}

type Field = readonly [name: string, text: string];

function List<Item extends { readonly id?: Json }>({
  items,
  fields,
  find,
}: {
  readonly items: readonly Item[];
  readonly fields: (item: Item) => readonly Field[];
  readonly find: string;
}) {
  if (items.length === 0) return <p class="soft">{find === '' ? 'It is empty.' : 'Nothing matches.'}</p>;
  return (
    <ul class="answers">
      {items.map((item, index) => (
        <li class="answer" key={`${item.id} ${index}`}>
          <span class="mono soft small">
            <DataText text={String(item.id)} find={find} />
          </span>
          <dl class="rows">
            {fields(item).map(([name, text], place) => (
              <div key={place}>
                <dt>{name}</dt>
                <dd>
                  <LongText text={text} find={find} />
                </dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  );
}

/** A formatted record as the text that the model reads; any other field by field. */
function recordFields({ id: _, segments, ...others }: JsonObject): readonly Field[] {
  const pieces = Array.isArray(segments) ? (segments as readonly { role?: Json; text?: Json }[]) : [];
  if (
    pieces.length > 0 &&
    pieces.every(({ role, text }) => typeof role === 'string' && typeof text === 'string')
  )
    return pieces.map(({ role, text }) => [String(role), String(text)]);
  return Object.entries(others).map(([name, value]) => [name, spelled(value)]);
}

function responseFields({
  prompt,
  expected,
  response,
  finish_reason,
  log_likelihood,
  scored_tokens,
}: ResponseRecord): readonly Field[] {
  return [
    ['prompt', prompt.trim()],
    ['expected', expected.trim()],
    ...(response === undefined ? [] : ([['given', response]] as const)),
    ...(finish_reason === undefined || finish_reason === 'stop' ? [] : ([['ended', finish_reason]] as const)),
    ...(log_likelihood === undefined
      ? []
      : ([
          ['log-likelihood', `${formatFigure(log_likelihood)} over ${scored_tokens ?? '?'} tokens`],
        ] as const)),
  ];
}

const tokenFields = ({ segments }: Segments): readonly Field[] =>
  segments.map(({ role, tokens, texts }) => [
    role,
    tokens
      .map((token, index) => `${token}${texts[index] === undefined ? '' : JSON.stringify(texts[index])}`)
      .join(' '),
  ]);

/** A batch as the loss sees it: trained, masked and padded tokens look different, and say so. */
function Batch({ view: { rows, trained, masked, padding } }: { readonly view: BatchView }) {
  return (
    <div class="block">
      <p class="row small">
        <span>
          <span class="trained">{formatCount(trained)} trained</span>
        </span>
        <span class="masked">{formatCount(masked)} masked: read, not learned</span>
        <span class="padding">{formatCount(padding)} padding</span>
      </p>
      <ol class="batch">
        {rows.map((row, index) => (
          <li key={index}>
            <span class="mono soft small">
              <DataText text={row.id} />
            </span>
            <div class="tokens">
              {row.runs.map(({ kind, text }, place) => (
                <span class={kind} key={place}>
                  <span class="hidden-visually">{kind}: </span>
                  <DataText text={text} />
                </span>
              ))}
              {row.padding > 0 && <span class="padding">{row.padding} padding</span>}
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}
