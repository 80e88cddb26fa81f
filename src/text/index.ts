export type { ChatMessage, Conversation } from './chat/chat-message.ts';
export { type ChatPrompt, isTemplateName, openChatPrompt } from './chat/chat-prompts.ts';
export { chatWriter } from './chat/chat-segments.ts';
export { chatTemplate } from './chat/chat-template.ts';
export { conversationOf } from './chat/conversation.ts';
export { endMark, stopsAt } from './chat/end-mark.ts';
export { knownSource, openChatTemplate, type TemplateChoice } from './chat/open-chat-template.ts';
export { saysSomething, type Unshown } from './chat/unshown.ts';
export { isSpace, spaceRun, stripSpace, trimEnd, wordsOf } from './jinja/code-points.ts';
export { literalJson } from './jinja/literal-json.ts';
export { escapePattern, PythonRegex } from './jinja/python-regex.ts';
export { perturbationKinds, perturbations } from './perturbation/perturbations.ts';
export { answerRows } from './preference/answer-rows.ts';
export { judgedRow } from './preference/judged-answer.ts';
export {
  type ChatMarks,
  type DataRecord,
  datasetField,
  endsItself,
  type FormattedRecord,
  isChat,
  type LabeledText,
  namedTexts,
  parseFormattedRecord,
  parseRecord,
  type Segment,
  type SegmentRole,
  type TextPiece,
  type TokenizedPair,
  type TokenizedRecord,
  type TokenizedRecords,
  type TokenizedText,
  type TokenSegment,
} from './records.ts';
export { type FinishReason, parseResponse, type ResponseRecord } from './response-record.ts';
export { conversationsOfTrees } from './shapes/message-tree.ts';
export { recognizedRow, shapeFits } from './shapes/row-shape.ts';
export { jinjaTemplate, namesIn, parseJinja } from './template/jinja-template.ts';
export { namedTemplates, type TemplateName } from './template/named-templates.ts';
export { namedTokensTemplate } from './template/named-tokens.ts';
export { fieldsIn, fieldsOf, missingField, optionalText, requiredText } from './template/row-field.ts';
export { strictTemplate } from './template/strict-template.ts';
export { segmentsOf, type Template } from './template/template.ts';
export { openEncoding } from './tokenizer/encoding-tokenizer.ts';
export { encodingTokenizerJson } from './tokenizer/encoding-tokenizer-json.ts';
export { isEncodingName } from './tokenizer/encodings.ts';
export { extendTokenizer } from './tokenizer/extend-tokenizer.ts';
export { writeGgufTokenizer } from './tokenizer/gguf-tokenizer.ts';
export { type GgufVocabulary, ggufVocabulary } from './tokenizer/gguf-vocabulary.ts';
export { IncrementalDecoder } from './tokenizer/incremental-decoder.ts';
export {
  copyTokenizer,
  openTokenizer,
  openTokenizerFile,
  writeEncodingName,
} from './tokenizer/open-tokenizer.ts';
export { writeOpenaiTokenizer } from './tokenizer/openai-tokenizer.ts';
export { type BosRule, emptyContext, encodeFrom, startToken } from './tokenizer/start-of-text.ts';
export { commonPrefixLength, type Encodable, type Tokenizer } from './tokenizer/tokenizer.ts';
