/** Programs that were written for other SDKs: with `compat` in the configuration the import names of those lead to pawl's entries. */

export const COMPAT_SDKS = ['workflow', 'keystroke'] as const;

/** `workflow`: the Workflow SDK. `keystroke`: Keystroke. */
export type CompatSdk = (typeof COMPAT_SDKS)[number];

const ENTRIES: Record<CompatSdk, Record<string, string>> = {
  workflow: {
    workflow: 'pawl',
    'workflow/api': 'pawl/client',
    '@workflow/serde': 'pawl/internal/serde',
    '@workflow/ai/agent': 'pawl/internal/workflow-ai',
  },
  keystroke: {
    '@keystrokehq/keystroke': 'pawl',
    '@keystrokehq/keystroke/action': 'pawl',
    '@keystrokehq/keystroke/workflow': 'pawl/internal/keystroke',
    '@keystrokehq/keystroke/agent': 'pawl',
    '@keystrokehq/keystroke/credential': 'pawl',
    '@keystrokehq/keystroke/credentials': 'pawl',
  },
};

/** Import names of the SDKs, for a first look. */
export const COMPAT_NAMES = /^(?:workflow(?:\/|$)|@workflow\/|@keystrokehq\/keystroke(?:\/|$))/;

/**
 * The entry of pawl that an import name of an SDK leads to.
 *
 * @param compat - the SDKs whose programs are built
 * @returns null for any other name
 * @example
 * compatEntry('workflow/api', ['workflow']); // 'pawl/client'
 */
export function compatEntry(specifier: string, compat: readonly CompatSdk[] = COMPAT_SDKS): string | null {
  for (const sdk of compat) {
    const entries = ENTRIES[sdk];
    if (entries && Object.hasOwn(entries, specifier)) return entries[specifier] as string;
  }
  return null;
}

/**
 * Names that an entry has besides those of pawl's own: where they come from. Bundles make such an entry of its parts, since each kind of
 * bundle has its own `pawl`.
 */
export const COMPAT_EXTRAS: Readonly<Record<string, { all: string; names: readonly string[]; from: string }>> = {
  'pawl/internal/workflow-ai': { all: 'pawl/agent', names: ['Output'], from: 'ai' },
  'pawl/internal/keystroke': { all: 'pawl', names: ['promptLlm'], from: 'pawl/agent' },
};

/** The SDK that an import name belongs to; null for any other name. */
export function sdkOf(specifier: string): CompatSdk | null {
  return COMPAT_SDKS.find((sdk) => compatEntry(specifier, [sdk]) !== null) ?? null;
}
