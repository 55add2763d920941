/** Import specifiers whose exports are actions, unless the configuration says otherwise. */
export const DEFAULT_INTEGRATIONS: readonly string[] = ['*/actions', '@keystrokehq/*/actions'];

const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*(?:\/|$)/i;

/**
 * Whether an import specifier matches one of the patterns. `*` stands for anything but `/`, `**` for anything. Only names of
 * packages match: `./actions`, `#actions`, `@/actions` and `~/actions` are code of the program itself.
 *
 * @example
 * matchesSpecifier('slack/actions', ['*' + '/actions']); // true
 */
export function matchesSpecifier(specifier: string, patterns: readonly string[]): boolean {
  if (!PACKAGE_NAME.test(specifier) || specifier.startsWith('~/')) return false;
  return patterns.some((pattern) => compiled(pattern).test(specifier));
}

const cache = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  let regex = cache.get(pattern);
  if (!regex) {
    const source = pattern
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/\*\*|\*/g, (stars) => (stars === '**' ? '.*' : '[^/]*'));
    regex = new RegExp(`^${source}$`);
    cache.set(pattern, regex);
  }
  return regex;
}
