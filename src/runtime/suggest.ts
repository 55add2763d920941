import { nearest } from '../diagnostics/nearest.ts';

/** The known id that was probably meant: the only one with that last part (`fulfil` for `src/orders.ts#fulfil`), or the nearest. */
export function suggest(name: string, known: readonly string[]): string | null {
  const sameTail = known.filter((each) => each.split(/[#/]/).at(-1) === name);
  return sameTail.length === 1 ? (sameTail[0] as string) : nearest(name, known);
}
