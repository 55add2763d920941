/**
 * Parts of a message that an attempt left behind which was cut off. A model call may be made again: a crash, a dropped connection. What the
 * attempt before had written stays in the stream, and the answer of the next one stands behind it. Both are marked with the model call and
 * the attempt, in the place that the AI SDK keeps with each part: `providerMetadata.pawl`.
 */

/** The mark of a part. */
export interface PartMark {
  /** The model call. */
  call: string;
  /** 1 for the first attempt. */
  attempt: number;
}

const KEY = 'pawl';

/** Puts the mark on a chunk that begins a part, or says anew what its provider says. */
export function markChunk(chunk: unknown, mark: PartMark): unknown {
  const { type, providerMetadata } = chunk as { type?: string; providerMetadata?: Record<string, unknown> };
  const isBeginning = MARKED.has(type ?? '');
  if (!isBeginning && providerMetadata === undefined) return chunk;
  return { ...(chunk as object), providerMetadata: { ...providerMetadata, [KEY]: { ...mark } } };
}

const MARKED: ReadonlySet<string> = new Set([
  'text-start',
  'reasoning-start',
  'tool-input-start',
  'tool-input-available',
  'source-url',
  'source-document',
  'file',
]);

/** Part ids of two attempts must not meet. */
export function ownId(chunk: unknown, { attempt }: PartMark): unknown {
  const { type, id } = chunk as { type?: string; id?: unknown };
  if (attempt === 1 || typeof id !== 'string' || !/^(?:text|reasoning)-/.test(type ?? '')) return chunk;
  return { ...(chunk as object), id: `${id}.${attempt}` };
}

interface Part {
  type?: string;
  providerMetadata?: Record<string, unknown>;
  callProviderMetadata?: Record<string, unknown>;
}

function markOf(part: unknown): PartMark | undefined {
  const { providerMetadata, callProviderMetadata } = part as Part;
  const mark = (callProviderMetadata ?? providerMetadata)?.[KEY] as Partial<PartMark> | undefined;
  return typeof mark?.call === 'string' && typeof mark.attempt === 'number' ? (mark as PartMark) : undefined;
}

/**
 * A message without the parts that a cut off attempt left behind: what a page shows, and what goes back to the server.
 *
 * @param message a `UIMessage` of the AI SDK, complete or growing
 * @returns the message itself where there is nothing to take out
 * @example
 * messages.map(withoutAbandoned).map((message) => <Message key={message.id} message={message} />)
 */
export function withoutAbandoned<M extends { parts: readonly unknown[] }>(message: M): M {
  const last = new Map<string, number>();
  for (const part of message.parts) {
    const mark = markOf(part);
    if (mark) last.set(mark.call, Math.max(mark.attempt, last.get(mark.call) ?? 0));
  }
  const parts = message.parts.filter((part) => {
    const mark = markOf(part);
    return !mark || mark.attempt === last.get(mark.call);
  });
  const kept = parts.filter((part, index) => !isStart(part) || !isStart(parts[index + 1]));
  return kept.length === message.parts.length ? message : { ...message, parts: kept };
}

/** Where the parts of a model call begin: it bears no mark, and behind that of a cut off attempt stands the next one. */
function isStart(part: unknown): boolean {
  return (part as Part | undefined)?.type === 'step-start';
}
