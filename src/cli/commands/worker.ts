import type { Worker, WorkerEvent } from '../../runtime/index.ts';
import { PawlError } from '../../errors.ts';
import { defineCommand, type ExitCode, JSON_OPTION } from '../command.ts';
import { ENDPOINT_OPTIONS, readAddress } from '../endpoint-options.ts';
import { count } from '../format.ts';
import type { Endpoint } from '../http-endpoint.ts';
import { type Output, printError } from '../output.ts';
import { openProject, readProjectManifest, STORE_OPTION, withStore } from '../project.ts';
import { visible } from '../visible.ts';

/** How long running attempts may go on once the worker is asked to end, ms. */
const PATIENCE = 10_000;

/** `pawl worker`: works on whatever is due in the store, until it is asked to end. */
export const workerCommand = defineCommand({
  name: 'worker',
  positionals: '',
  description: 'Work on the runs of a store, until asked to end',
  details:
    'Takes new runs, runs whose sleep is over or whose hook was resumed, and runs that a dead worker left. Any number of workers share a\n' +
    'store: on one machine with SQLite, on many with PostgreSQL. SIGTERM and Ctrl-C let running steps end, for ten seconds; what is\n' +
    'not at its end then goes on elsewhere, or here the next time. On a terminal every run is told of, in a pipe only what went wrong;\n' +
    '--json tells everything, an object a line.\n' +
    'With --port it takes requests to webhooks too, for all runs of the store, and with PAWL_TOKEN set those to the other routes of\n' +
    'createHandler(). PAWL_BASE_URL says how the outside world reaches it, where that is another URL.',
  options: {
    concurrency: { type: 'string', value: 'N', description: 'Steps that run at once (default: 100)' },
    'max-runs': { type: 'string', value: 'N', description: 'Runs that are kept in memory (default: 1,000)' },
    'allow-missing': {
      type: 'boolean',
      description: 'Begin although credentials are not set; runs that need them fail',
    },
    ...ENDPOINT_OPTIONS,
    ...STORE_OPTION,
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl worker', does: "work on the project's own store" },
    { line: 'pawl worker --store postgres://user@host/db', does: 'one of many, on any machine' },
    { line: 'pawl worker --port 3000', does: 'take requests to webhooks too' },
    { line: 'pawl worker --json | tee worker.jsonl', does: 'everything that happens, for programs' },
  ],
  async run({ options, root, out }) {
    const concurrency = readCount('concurrency', options.concurrency);
    const maxRuns = readCount('max-runs', options['max-runs']);
    const address = readAddress(options);
    const { outDir, storeUrl, credentials } = await openProject(root, options.store, out.env);
    const manifest = await readProjectManifest(outDir);
    const { createWorker } = await import('../../runtime/index.ts');
    const { interruption, redirectConsole } = await import('../run-session.ts');
    const { Accidents } = await import('../accidents.ts');
    const { StoreTrouble } = await import('../store-trouble.ts');
    const { WorkerLog } = await import('../worker-log.ts');
    const { watchPresence } = await import('../store-presence.ts');
    return await withStore(storeUrl, true, async (store) => {
      const log = new WorkerLog(out);
      const print = (text: string): void => out.aside(text);
      const restoreConsole = redirectConsole(print, out);
      const interrupted = interruption();
      const trouble = new StoreTrouble(print);
      const accidents = await Accidents.watch(print, () => interrupted.asked, out);
      const presence = watchPresence(storeUrl);
      let worker: Worker | null = null;
      let endpoint: Endpoint | null = null;
      try {
        if (address !== null) {
          const { openEndpoint } = await import('../http-endpoint.ts');
          endpoint = await openEndpoint(address, store, (error) => printError(error, out));
        }
        const baseUrl = process.env.PAWL_BASE_URL ? undefined : endpoint?.url;
        const onEvent = (event: WorkerEvent): void => {
          accidents.heard(event);
          trouble.heard(event);
          log.heard(event);
        };
        const creating = createWorker({
          manifest,
          store,
          onEvent,
          concurrency,
          maxRuns,
          baseUrl,
          credentials,
          requireCredentials: !options['allow-missing'],
        });
        const lost = Promise.race([trouble.gaveUp, accidents.stray]);
        const made = await Promise.race([creating, interrupted.code, lost]);
        if (typeof made === 'number') return made;
        worker = made;
        if (options['allow-missing']) await tellMissing(worker, Object.keys(manifest.workflows), out);
        const { workflows, steps } = manifest;
        const has = `${count(Object.keys(workflows).length, 'workflow')}, ${count(Object.keys(steps).length, 'step')}`;
        log.ready(process.pid, visible(store.url), has, endpoint?.url ?? null);
        const code = await Promise.race([interrupted.code, lost]);
        out.note(`ending; running steps have ${PATIENCE / 1000} s to come to their end`);
        return code;
      } finally {
        await Promise.resolve(worker?.close({ timeout: PATIENCE })).catch((error: unknown) => printLost(error, out));
        await endpoint?.close();
        await log.printed();
        interrupted.stop();
        accidents.stop();
        restoreConsole();
        const gone = presence();
        if (gone) printError(gone, out);
      }
    });
  },
});

/** The lease ends by itself: others take over then. */
function printLost(error: unknown, out: Output): ExitCode {
  printError(error, out);
  return 2;
}

/** What runs will fail for want of. */
async function tellMissing(worker: Worker, workflowIds: string[], out: Output): Promise<void> {
  try {
    await worker.credentials.check(workflowIds);
  } catch (error) {
    printError(error, out);
  }
}

function readCount(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new PawlError('PAWL_USAGE', `\`--${name} ${value}\` is no number of things.`, {
    remedy: 'Write a whole number from 1 on.',
  });
}
