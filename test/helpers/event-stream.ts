/** An event of a server. */
export interface ServerEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: unknown;
}

/** Reads server-sent events one after the other; close it by `return()`. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent, void> {
  if (!response.body) throw new Error('there is no body');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() as string;
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line): [string, string] => {
          const [, name, value] = /^(id|event|data|retry): (.*)$/.exec(line) ?? [];
          if (name === undefined) throw new Error(`not a line of an event: ${line}`);
          return [name, value as string];
        }),
      );
      const data = fields.get('data');
      if (data === undefined) continue;
      yield {
        id: fields.get('id'),
        event: fields.get('event') as string,
        data: JSON.parse(data),
      };
    }
  }
}
