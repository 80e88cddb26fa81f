import type { Json, JsonObject } from '../../../src/core/json.ts';
import { waysToMeddle } from './meddle.ts';

/** What an edit can do to a field of a stage's `with`, and what the field means to the stage's identity. */
export interface Field {
  readonly values: readonly [Json, ...Json[]];
  readonly default?: Json;
  readonly required?: true;
  /** What is in the key. Absent: the value. `source`: the content of the file. `none`: nothing. */
  readonly mark?: 'source' | 'none' | 'unless-default';
  /** The value as it is in the key, with the defaults within it filled in. */
  readonly complete?: (value: Json) => Json;
}

export interface Port {
  /** `file` takes every type. */
  readonly type: 'text' | 'box' | 'records' | 'file';
  readonly each?: true;
  readonly optional?: true;
}

export interface Kind {
  readonly fields: Readonly<Record<string, Field>>;
  readonly inputs: Readonly<Record<string, Port>>;
  readonly outputs: Readonly<Record<string, 'text' | 'box' | 'records' | 'tokens'>>;
  /** The parts that it makes itself. */
  readonly parts?: (config: JsonObject) => readonly string[];
}

export const textFiles = ['one.txt', 'two words.txt', 'deep/three.txt'] as const;
export const recordFiles = ['rows.jsonl', 'more/rows.json'] as const;
/** The names of pipelines that are used as stages; the second is in its own folder. */
export const partFiles = ['part.yaml', 'deep/part.yaml'] as const;
export const folderFiles = ['box/a.txt', 'box/inner/b.txt', 'crate/a.txt'] as const;

/** Only a stage that changes it and restores it reads this file. */
export const passingFile = 'passing.txt';

export const contents = {
  text: ['abc', 'abd', 'äbc', '', 'a longer text\nof two lines\n'],
  records: [0, 1, 2].map((first) =>
    JSON.stringify(
      ['red', 'green', 'blue', 'red'].slice(0, 4 - first).map((output, index) => ({
        instruction: `Name colour ${index % 3}.`,
        input: first === 1 ? 'Quickly.' : '',
        output,
      })),
    ),
  ),
} as const;

const listed = (config: JsonObject, field: string): readonly Json[] => {
  const list = config[field];
  return Array.isArray(list) ? list : [];
};

/** `note` is not part of the key. */
function completeRule(rule: Json): Json {
  const { word = '', deep } = Object(rule);
  return deep === undefined ? { word } : { word, deep: { times: Object(deep).times ?? 1 } };
}

const text: Port = { type: 'text' };
const path = (values: readonly [string, ...string[]]): Field => ({ values, required: true, mark: 'source' });

/** The stages of the walks. Only the tests read this. */
export const kinds: Readonly<Record<string, Kind>> = {
  read: { fields: { path: path(textFiles) }, inputs: {}, outputs: { text: 'text' } },
  append: {
    fields: {
      suffix: { values: ['!', '', `ä \${x}`, 'two\nlines', '# no: comment'] },
      label: { values: ['first', 'second'], mark: 'none' },
      mode: { values: ['plain', 'loud'], default: 'plain', mark: 'unless-default' },
    },
    inputs: { text: { type: 'text', each: true } },
    outputs: { text: 'text' },
  },
  count: { fields: {}, inputs: { text }, outputs: { text: 'text' } },
  join: { fields: {}, inputs: { left: text, right: text }, outputs: { text: 'text' } },
  cut: {
    fields: {
      parts: {
        values: [
          ['a', 'b'],
          ['b', 'a'],
          ['a', 'b', 'constructor'],
          ['a', 'c'],
        ],
        required: true,
      },
    },
    inputs: { text },
    outputs: { text: 'text' },
    parts: (config) => listed(config, 'parts').map(String),
  },
  pack: { fields: {}, inputs: { text }, outputs: { box: 'box' } },
  unpack: { fields: {}, inputs: { box: { type: 'box' } }, outputs: { text: 'text' } },
  gather: {
    fields: {
      paths: {
        values: [[textFiles[0]], [textFiles[0], textFiles[1]], [textFiles[1], textFiles[0]], []],
        default: [],
        mark: 'source',
      },
      folder: { values: ['box', 'crate'], mark: 'source' },
    },
    inputs: {},
    outputs: { text: 'text' },
  },
  revise: {
    fields: {
      rule: {
        values: [{}, { word: 'x' }, { deep: { times: 2 } }, { word: '', deep: { note: 'n' } }, { deep: {} }],
        default: {},
        complete: completeRule,
      },
      refuse: { values: ['', 'b', '1', 'a'], default: '', mark: 'unless-default' },
    },
    inputs: { text, measure: { type: 'file', optional: true } },
    outputs: { text: 'text', size: 'text' },
  },
  meddle: {
    fields: {
      way: { values: ['nothing', ...waysToMeddle], default: 'nothing' },
      back: { values: [passingFile], mark: 'source' },
    },
    inputs: { text, measure: { type: 'file', optional: true } },
    outputs: { text: 'text' },
  },
  load: {
    fields: {
      records: path(recordFiles),
      limit: { values: [1, 2, 3, 100] },
      type: { values: ['auto', 'json'], default: 'auto' },
    },
    inputs: {},
    outputs: { records: 'records' },
  },
  format: {
    fields: { template: { values: ['alpaca', 'phi3', 'alpaca-stanford'], required: true } },
    inputs: { records: { type: 'records', each: true } },
    outputs: { records: 'records' },
  },
  split: {
    fields: {
      parts: {
        values: [
          [{ train: 0.5 }, { test: 'rest' }],
          [{ train: 0.25 }, { test: 'rest' }],
          [{ train: 0.5 }, { other: 'rest' }],
        ],
        required: true,
      },
      by: { values: ['order', 'hash'], default: 'order' },
      drop_leaks: { values: [true, false], default: false },
      seed: { values: [0], default: 0 },
    },
    inputs: { records: { type: 'records' } },
    outputs: { records: 'records' },
    parts: (config) => listed(config, 'parts').flatMap((part) => Object.keys(Object(part))),
  },
  './own': {
    fields: { most: { values: [1, 2, 3] } },
    inputs: { records: { type: 'records', each: true } },
    outputs: { records: 'records' },
  },
  tokenize: {
    fields: { encoding: { values: ['r50k_base'], required: true } },
    inputs: { records: { type: 'records', each: true } },
    outputs: { tokens: 'tokens' },
  },
};
