export { type Battle, battleName, type Contestant, putBattle, readBattles } from './battles-file.ts';
export { changeFile } from './change-file.ts';
export { type AnswerPair, pairAnswers } from './pair-answers.ts';
export { type RatingRow, RatingsFile, ratingsBeside } from './ratings-file.ts';
