/** The streams of a run, for people and as JSON. */
import { labelOf } from '../runtime/index.ts';
import type { StreamRecord } from '../store/port.ts';
import { count, formatSize } from './format.ts';

/** `'progress': 12 chunks, 3.4 KiB, closed`. */
export function describeStream({ name, chunks, size, closed }: StreamRecord): string {
  const { namespace, cid, isArgument } = labelOf(name);
  const named = namespace === null ? 'default' : `'${namespace}'`;
  const what = isArgument ? 'among the arguments' : cid !== null ? `of a result of step #${cid}` : named;
  return `${what}: ${count(chunks, 'chunk')}, ${formatSize(size)}${closed ? ', closed' : ''}`;
}

/** `namespace` null: the one without a name; with `step` one that a step returned, with `argument` one that the run was started with. */
export function streamToJson({ name, chunks, size, closed }: StreamRecord): Record<string, unknown> {
  const { namespace, cid, isArgument } = labelOf(name);
  return { namespace, step: cid, ...(isArgument && { argument: true }), chunks, size, closed };
}
