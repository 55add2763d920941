/** What commands that work with runs have in common: where the project's store and manifest are. */
import { resolve } from 'node:path';
import { PawlError } from '../errors.ts';
import type { LoadedManifest } from '../manifest/index.ts';
import type { CredentialSources } from '../runtime/index.ts';
import type { RunEvent } from '../store/events.ts';
import type { EventStore, RunRecord } from '../store/port.ts';
import type { OptionSpecs } from './command.ts';

/** The option of every command that opens a store. */
export const STORE_OPTION = {
  store: {
    type: 'string',
    value: 'URL',
    description: 'The store (default: PAWL_STORE, else `store` of pawl.config, else sqlite:.pawl/pawl.db)',
  },
} as const satisfies OptionSpecs;

export interface Project {
  root: string;
  /** Absolute directory of the manifest. */
  outDir: string;
  /** With an absolute path. */
  storeUrl: string;
  /** For workers. */
  credentials: CredentialSources;
}

/** Reads the configuration. What the command line says of the store comes first, then `PAWL_STORE`, as in `pawl/client`. */
export async function openProject(
  root: string,
  store: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Project> {
  const { loadConfig } = await import('../config/index.ts');
  const { config } = await loadConfig(root);
  return {
    root,
    outDir: resolve(root, config.outDir),
    storeUrl: await absoluteUrl(store ?? (env.PAWL_STORE || config.store), root),
    credentials: { root, ...config.credentials },
  };
}

/** A relative path in a store URL is relative to the project's root, wherever the command is called. */
export async function absoluteUrl(url: string, root: string): Promise<string> {
  const { parseStoreUrl } = await import('../store/url.ts');
  const parsed = parseStoreUrl(url);
  if (parsed.scheme === 'postgres' || parsed.path === null) return url;
  const { scheme, path, durability } = parsed;
  return `${scheme}:${resolve(root, path)}${durability === 'full' ? '' : `?durability=${durability}`}`;
}

/**
 * Opens the store, hands it to `work` and closes it.
 *
 * @param create whether to make it when it does not exist; commands that only look do not
 */
export async function withStore<T>(url: string, create: boolean, work: (store: EventStore) => Promise<T>): Promise<T> {
  const { openStore } = await import('../store/open.ts');
  const store = await openStore(url, { create });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Reads the manifest that `pawl build` wrote. */
export async function readProjectManifest(outDir: string): Promise<LoadedManifest> {
  const { readManifest } = await import('../manifest/index.ts');
  return readManifest(outDir);
}

/**
 * Finds a run by its id, or by the beginning or end of one if only one run matches: ids are long.
 *
 * @throws PawlError `PAWL_RUN_UNKNOWN`, `PAWL_RUN_AMBIGUOUS`
 */
export async function findRun(store: EventStore, wanted: string): Promise<RunRecord> {
  const exact = await store.getRun(wanted);
  if (exact) return exact;
  const matches: RunRecord[] = [];
  for await (const run of allRuns(store)) {
    if (wanted.length >= 3 && (run.id.startsWith(wanted) || run.id.endsWith(wanted))) matches.push(run);
  }
  const [match, second] = matches;
  if (match && !second) return match;
  if (match) {
    throw new PawlError('PAWL_RUN_AMBIGUOUS', `${matches.length} runs match \`${wanted}\`.`, {
      place: store.url,
      remedy: `Write more of the id: ${matches
        .slice(0, 3)
        .map(({ id }) => id)
        .join(', ')}${matches.length > 3 ? ', …' : ''}.`,
    });
  }
  throw new PawlError('PAWL_RUN_UNKNOWN', `There is no run \`${wanted}\`.`, {
    place: store.url,
    remedy: '`pawl runs` lists all runs; `--store` names another store.',
  });
}

/** All runs that a filter lets through, newest first, page by page. */
export async function* allRuns(
  store: EventStore,
  filter: Omit<Parameters<EventStore['listRuns']>[0] & object, 'cursor'> = {},
): AsyncGenerator<RunRecord> {
  let cursor: string | undefined;
  do {
    const page = await store.listRuns({ limit: 1000, ...filter, cursor });
    yield* page.runs;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}

/** The whole event log of a run. */
export async function readLog(store: EventStore, runId: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const page = await store.readEvents(runId, { afterSeq: events.length, limit: 5000 });
    events.push(...page);
    if (page.length < 5000) return events;
  }
}

/** `src/orders.ts#fulfil/charge` is `fulfil/charge` to a reader; a slug is itself. */
export function shortName(id: string): string {
  return id.slice(id.indexOf('#') + 1);
}
