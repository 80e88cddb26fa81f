import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../core/index.ts';
import { freeze, type LanguageModel, parameterOf, rowsOf, tokenModules, withRows } from '../model/index.ts';
import { tokenPlaces, withOwnColumns, withOwnRows } from '../tensor/index.ts';
import { rewriteValues } from './optimizer/trained-parameter.ts';

/** A model of whose embedding and head only the rows of some tokens are trained. */
interface TunedTokens extends Disposable {
  readonly model: LanguageModel;
  /** Writes the rows into the model's own parameters. */
  readonly settle: () => void;
}

/**
 * The rows of tokens as variables of their own, in place of the tables that a training would update as a whole: the others get
 * no gradient, no weight decay and no optimizer state. Throws a UserError if neither table is trained.
 */
export function tuneTokens(model: LanguageModel, ids: readonly number[]): TunedTokens {
  const { config } = model;
  const tables = tokenModules(config).filter((module) => model.trainable.has(`${module}.weight`));
  if (tables.length === 0)
    throw new UserError({
      code: 'frozen-tokens',
      message:
        '`trainable_tokens` trains rows of the embedding or the head, and `trainable` selects neither of them',
      help: `add \`${tokenModules(config)[0]}.weight\` to \`trainable\`, or leave out \`trainable_tokens\``,
    });
  const places = tokenPlaces(ids, config.vocabularySize);
  const variables = new Map(
    tables.map((module) => {
      const table = parameterOf(model, `${module}.weight`);
      const [, width = 0] = table.shape;
      const rows = tf.tensor2d(rowsOf(table, ids), [ids.length, width]);
      const variable = tf.variable(rows);
      rows.dispose();
      return [module, variable] as const;
    }),
  );
  freeze(tables.map((module) => parameterOf(model, `${module}.weight`)));
  // A tied head has the rows of the embedding, the only table then.
  const ofHead = (name: string) => variables.get(config.tied ? (tables[0] ?? name) : name);
  const isTable = new Set(tables.map((module) => `${module}.weight`));
  return {
    model: {
      ...model,
      trainable: new Map([
        ...[...model.trainable].filter(([name]) => !isTable.has(name)),
        ...[...variables].map(([module, variable]) => [`${module}.trainable_tokens`, variable] as const),
      ]),
      hidden: (tokens) =>
        model.hidden({
          ...tokens,
          adaptEmbedding: ({ name, ids, y }) => {
            const rows = variables.get(name);
            return rows === undefined ? y : withOwnRows({ rows, places, ids, y });
          },
        }),
      logits: (hidden, tuning) =>
        model.logits(hidden, {
          ...tuning,
          adapt: ({ name, x, y }) => {
            const rows = ofHead(name);
            const bias = model.parameters.get(`${name}.bias`);
            return rows === undefined ? y : withOwnColumns({ rows, places, x, y, bias });
          },
        }),
    },
    settle: () => {
      for (const [module, variable] of variables)
        rewriteValues(parameterOf(model, `${module}.weight`), (values) =>
          values.set(withRows(values, { rows: variable.dataSync<'float32'>(), ids })),
        );
    },
    [Symbol.dispose]: () => tf.dispose([...variables.values(), places.ids, places.rowOf, places.isOwn]),
  };
}
