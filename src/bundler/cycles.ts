import { compareText } from '../diagnostics/order.ts';
import type { BuildFiles } from './files.ts';
import type { BundleOutput } from './rolldown.ts';

/**
 * Import cycles among the user's modules, for the manifest. A cycle does no harm as long as nothing of it is used while it is loaded,
 * so it is no finding; but when loading fails, it is the likely reason.
 *
 * @returns each cycle once, from its first file by name, in the order of the files; first and last are the same
 */
export function cyclesOf(output: Pick<BundleOutput, 'cycles'>, files: Pick<BuildFiles, 'relative'>): string[][] {
  const found = new Map<string, string[]>();
  for (const ids of output.cycles) {
    if (ids.some((id) => id.startsWith('\0'))) continue;
    const cycle = fromFirst(ids.slice(0, -1).map((id) => files.relative(id)));
    found.set(cycle.join('\n'), cycle);
  }
  return [...found.entries()].sort(([a], [b]) => compareText(a, b)).map(([, cycle]) => cycle);
}

function fromFirst(cycle: readonly string[]): string[] {
  const [first = ''] = cycle.toSorted(compareText);
  const at = cycle.indexOf(first);
  return [...cycle.slice(at), ...cycle.slice(0, at), first];
}
