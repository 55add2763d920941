/** `Name: message`, on one line, never throwing. */
export function oneLine(error: unknown): string {
  try {
    const text = typeof error === 'object' && error !== null && 'message' in error ? String(error) : `${error}`;
    return text.replace(/\s+/g, ' ').slice(0, 500);
  } catch {
    return 'a value that cannot be shown';
  }
}
