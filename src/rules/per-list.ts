/**
 * Remembers what was made of a list of uses or call sites as long as the list lives: when a module is edited, its units get new ones, and
 * all others keep theirs. So it may look at the list itself and at what outside of the program the uses lead to; of units and
 * modules only at names and kinds, for what is in them may be edited without this list hearing of it.
 *
 * @example
 * const tokens = perList((sites: readonly CallSite[]) => sites.filter(({ token }) => token));
 */
export function perList<List extends object, Result>(make: (list: List) => Result): (list: List) => Result {
  const known = new WeakMap<List, Result>();
  return (list) => {
    let made = known.get(list);
    if (made === undefined) {
      made = make(list);
      known.set(list, made);
    }
    return made;
  };
}

/** The items that are wanted; one list for all that have none. */
export function wantedOf<Item>(
  isWanted: (item: Item) => boolean,
): (list: readonly Item[] | undefined) => readonly Item[] {
  const wanted = perList((list: readonly Item[]) => {
    const found = list.filter(isWanted);
    return found.length === 0 ? NONE : found;
  });
  return (list) => (list ? wanted(list) : NONE);
}

const NONE: readonly never[] = [];
