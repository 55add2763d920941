import type { Rule } from './define-rule.ts';

/**
 * What rules speak of and this version of pawl does not do: the SDKs that it serves have it, and programs for those are checked as they are.
 * A test sees that each is still missing.
 */
interface Unbuilt {
  /** As rules name it, in words and in examples. */
  names: RegExp;
  note: string;
}

export const UNBUILT: Record<'agents' | 'DurableAgent', Unbuilt> = {
  agents: {
    names: /\bdefineAgent\b|\.prompt\(/,
    note: 'pawl builds and lists agents of `defineAgent`, and does not run them: `prompt` throws `PAWL_AGENTS_UNSUPPORTED`. Keystroke does.',
  },
  DurableAgent: {
    names: /\bDurableAgent\b/,
    note: "pawl has no `DurableAgent`. That of the Workflow SDK (`'@workflow/ai/agent'`) is meant.",
  },
};

/** What of a rule's page is not to be had in this version of pawl. Null when all is. */
export function notBuilt({ description, explanation, bad, good }: Rule): string | null {
  const page = [description, ...Object.values(explanation), JSON.stringify([bad, good])].join('\n');
  const notes = Object.values(UNBUILT).flatMap(({ names, note }) => (names.test(page) ? [note] : []));
  return notes.length === 0 ? null : notes.join(' ');
}
