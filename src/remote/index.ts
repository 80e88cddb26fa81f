export { downloadFile } from './http/download-file.ts';
export { sendRequest } from './http/send-request.ts';
export { sourceResolvers } from './source-resolvers.ts';
