import { expect, test } from 'vitest';
import { perturbations } from '../../src/text/perturbation/perturbations.ts';

const text = 'He is not here; what is HIS name? She cannot say.';

test('each perturbation changes what its name says, and nothing else', () => {
  const half = () => 0.5;
  expect(perturbations.lowercase(text, half)).toBe('he is not here; what is his name? she cannot say.');
  expect(perturbations.contractions(text, half)).toBe("He isn't here; what's HIS name? She can't say.");
  expect(perturbations.gender(text, half)).toBe('She is not here; what is Her name? She cannot say.');
  expect(perturbations.spaces('a b c', half)).toBe('a  b  c');
  expect(perturbations.typos(text, half)).toBe(text); // 0.5 is no letter in twenty
  expect(perturbations.typos('Bad qp', () => 0)).toBe('Bss wo');
  const often = () => 0;
  expect(perturbations.misspellings('Believe in people, with care', often)).toBe(
    'Beleive in poeple, wiht care',
  );
  expect(perturbations.misspellings('Believe in people', half)).toBe('Believe in people');
  expect(perturbations.dialect('They are going to the shop', half)).toBe('Dey are gonna da shop');
  expect(perturbations.names('Paul met Emily; Paul left. paul', often)).toBe(
    'Alonzo met Ebony; Alonzo left. paul',
  );
});
