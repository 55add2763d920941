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

interface Unserved {
  names: RegExp;
  /** What pawl has nothing in place of. */
  what: string;
  remedy: string;
}

const RUN_IT =
  'Start runs from your scheduler or your server: `start(workflow, [input])` of `pawl/client`, or `pawl run`.';
const OWN_ACTION = 'Write an action that asks its API, with `defineAction` and `defineCredential`.';
const OF_PAWL = 'Do without, or see what docs/migrating.md has in its place.';

const UNSERVED: readonly Unserved[] = [
  { names: /^@keystrokehq\/keystroke\/trigger$/, what: "Keystroke's triggers", remedy: RUN_IT },
  {
    names: /^@keystrokehq\/keystroke\/sandbox$/,
    what: "Keystroke's sandboxes",
    remedy: 'Do what needs files or a shell in an action.',
  },
  { names: /^@keystrokehq\/keystroke\/(?:app|mcp)$/, what: "Keystroke's apps and MCP servers", remedy: OWN_ACTION },
  { names: /^@keystrokehq\/keystroke\//, what: 'this part of Keystroke', remedy: OF_PAWL },
  {
    names: /^@workflow\/ai\/(?:anthropic|gateway|google|openai|xai)$/,
    what: 'providers that make models in steps',
    remedy:
      "Name models `vendor/model-id`, by `providers` in pawl.config.ts, or make them in a step: `async () => { 'use step'; return openai('gpt-5'); }`.",
  },
  {
    names: /^@workflow\/ai(?:\/|$)/,
    what: 'this part of `@workflow/ai`',
    remedy:
      'Import `DurableAgent` and `Output` from `@workflow/ai/agent`; a page reads its stream from `createHandler`.',
  },
  {
    names:
      /^(?:workflow\/(?:astro|nest|next|nitro|nuxt|sveltekit|vite)|@workflow\/(?:astro|nest|next|nitro|nuxt|rollup|sveltekit|vite))$/,
    what: 'integrations of frameworks',
    remedy: 'Build the application with `pawl/vite`, `pawl/webpack` or `pawl/esbuild`.',
  },
  { names: /^@workflow\/vitest$/, what: 'its plugin for tests', remedy: 'Use `createTestRuntime` of `pawl/testing`.' },
  {
    names: /^(?:workflow\/(?:internal\/)?errors|@workflow\/errors)$/,
    what: 'its classes of errors',
    remedy: "Ask for the `code` of pawl's errors, or catch `RunFailedError` of `pawl/client`.",
  },
  { names: /^(?:workflow\/|@workflow\/)/, what: 'this part of the Workflow SDK', remedy: OF_PAWL },
];

/**
 * What is out of scope of programs for the SDKs: a name of theirs that leads to no entry of pawl.
 *
 * @returns null for any other name
 * @example
 * unservedName('@keystrokehq/keystroke/trigger')?.what; // "Keystroke's triggers"
 */
export function unservedName(specifier: string): Omit<Unserved, 'names'> | null {
  return sdkOf(specifier) === null ? (UNSERVED.find(({ names }) => names.test(specifier)) ?? null) : null;
}
