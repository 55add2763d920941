/** The streams of a run, for people and as JSON. */
import { labelOf } from '../runtime/index.ts';
import type { StreamRecord } from '../store/port.ts';
import { count, formatSize } from './format.ts';

/** `'progress': 12 chunks, 3.4 KiB, closed`. */
export function describeStream({ name, chunks, size, closed }: StreamRecord): string {
  const { namespace, cid } = labelOf(name);
  const what = cid !== null ? `of a result of step #${cid}` : namespace === null ? 'default' : `'${namespace}'`;
  return `${what}: ${count(chunks, 'chunk')}, ${formatSize(size)}${closed ? ', closed' : ''}`;
}

/** `namespace` null: the one without a name, or, with `step`, one that a step returned. */
export function streamToJson({ name, chunks, size, closed }: StreamRecord): Record<string, unknown> {
  const { namespace, cid } = labelOf(name);
  return { namespace, step: cid, chunks, size, closed };
}
