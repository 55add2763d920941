import { StoreError } from './errors.ts';

/**
 * Whether databases keep the text as it is: PostgreSQL refuses NUL, SQLite bindings cut the text off there, and half a
 * surrogate pair has no UTF-8. Serialized values hold neither (JSON escapes them); ids and tokens may come from anyone.
 */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/**
 * @param what names the text in the message: `run id`
 * @throws StoreError `PAWL_STORE_MISUSE`
 */
export function requireStorable(what: string, ...texts: readonly (string | null | undefined)[]): void {
  if (texts.every((text) => text == null || isStorable(text))) return;
  throw new StoreError('PAWL_STORE_MISUSE', `The ${what} holds a NUL character or half a surrogate pair.`, {
    remedy: 'Escape or encode the text, for example by JSON.stringify or encodeURIComponent.',
  });
}
