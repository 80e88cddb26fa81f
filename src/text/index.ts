export { type ChatPrompt, openChatPrompt } from './chat/chat-prompts.ts';
export { chatSegments } from './chat/chat-segments.ts';
export { chatTemplate, chatTemplateSource, openChatTemplate } from './chat/chat-template.ts';
export { type ChatMessage, type Conversation, conversationOf } from './chat/conversation.ts';
export { perturbationKinds, perturbations } from './perturbation/perturbations.ts';
export {
  type DataRecord,
  endsItself,
  type FormattedRecord,
  parseFormattedRecord,
  parseRecord,
  type Segment,
  type SegmentRole,
  type TextPiece,
  type TokenizedRecord,
  type TokenizedRecords,
  type TokenSegment,
} from './records.ts';
export { parseResponse, type ResponseRecord } from './response-record.ts';
export { jinjaTemplate, parseJinja } from './template/jinja-template.ts';
export { namedTemplates, type TemplateName } from './template/named-templates.ts';
export { namedTokensTemplate } from './template/named-tokens.ts';
export { fieldsIn, fieldsOf, missingField, optionalText, requiredText } from './template/row-field.ts';
export { segmentsOf, type Template } from './template/template.ts';
export { openEncoding } from './tokenizer/encoding-tokenizer.ts';
export { encodingTokenizerJson } from './tokenizer/encoding-tokenizer-json.ts';
export { isEncodingName } from './tokenizer/encodings.ts';
export { writeGgufTokenizer } from './tokenizer/gguf-tokenizer.ts';
export { type GgufVocabulary, ggufVocabulary } from './tokenizer/gguf-vocabulary.ts';
export {
  copyTokenizer,
  openTokenizer,
  openTokenizerFile,
  writeEncodingName,
} from './tokenizer/open-tokenizer.ts';
export { writeOpenaiTokenizer } from './tokenizer/openai-tokenizer.ts';
export { commonPrefixLength, type Encodable, type Tokenizer } from './tokenizer/tokenizer.ts';
