/** The JSON Schema of pipeline files, bundled with the command so that it needs no file beside it. */
export async function pipelineSchema(): Promise<object> {
  const { default: schema } = await import('../../../schemas/pipeline.schema.json', {
    with: { type: 'json' },
  });
  return schema;
}
