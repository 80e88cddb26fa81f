import { getItem } from './attributes.ts';
import { integerIn, textIn, Undefined, type Value } from './values.ts';

/** Reads `a.b.0` of a value, as the `attribute` of filters names it; `otherwise` stands in for what is undefined. */
export function attributeGetter(attribute: Value, otherwise: Value = null): (value: Value) => Value {
  const parts = partsOf(attribute);
  return (value) => {
    let item = value;
    for (const part of parts) {
      item = getItem(item, part);
      if (otherwise !== null && item instanceof Undefined) item = otherwise;
    }
    return item;
  };
}

/** The values of `a.b,c`, in a list. */
export function attributesGetter(attribute: Value): (value: Value) => readonly Value[] {
  const text = textIn(attribute);
  const getters = (text === undefined ? [attribute] : text.split(',')).map((one) => attributeGetter(one));
  return (value) => getters.map((get) => get(value));
}

function partsOf(attribute: Value): readonly Value[] {
  if (attribute === null) return [];
  const text = textIn(attribute);
  if (text === undefined) return [integerIn(attribute) ?? attribute];
  return text.split('.').map((part) => (/^\d+$/.test(part) ? BigInt(part) : part));
}
