import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PawlError } from '../../errors.ts';
import type { History, WorkflowCode } from '../../runtime/index.ts';
import type { EventStore, ParkedReason } from '../../store/port.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { count } from '../format.ts';
import type { Output } from '../output.ts';
import { findRun, openProject, readLog, readProjectManifest, STORE_OPTION, shortName, withStore } from '../project.ts';
import { visible, visibleLine } from '../visible.ts';

/** `pawl replay`: whether recorded runs find their way through the code at hand. */
export const replayCommand = defineCommand({
  name: 'replay',
  positionals: '[run]',
  description: 'Replay recorded runs against the code at hand, and show where they part',
  details:
    'Workflow code of the build runs again; steps do not: their results come from the log. Nothing is written. A run in flight goes on\n' +
    'with the code that it started with, so a difference here harms nothing; it tells what would happen if the run were moved to this\n' +
    'code. With --recorded the run is replayed on its own code: then a difference means that the code is not deterministic.',
  options: {
    histories: {
      type: 'string',
      value: 'FILE',
      description: 'Replay the histories of a file, which `pawl runs --history` wrote, in place of a run of the store',
    },
    recorded: { type: 'boolean', description: 'Replay on the code that the run started with, as the store keeps it' },
    ...STORE_OPTION,
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl replay 01JZ8Q4M7T', does: 'one run, against the newest build' },
    {
      line: 'pawl replay --histories all.jsonl',
      does: 'all that `pawl runs --history --limit 0 > all.jsonl` has written',
    },
    { line: 'pawl replay A-1004 --recorded', does: 'against its own code: is it deterministic?' },
  ],
  async run({ args, options, root, out }) {
    const [wanted] = args;
    if ((wanted === undefined) === (options.histories === undefined)) {
      throw new PawlError('PAWL_USAGE', 'It takes either a run or `--histories FILE`.', {
        remedy: 'Write `pawl replay RUN`; `pawl runs` lists them.',
      });
    }
    if (options.recorded && options.histories !== undefined) {
      throw new PawlError('PAWL_USAGE', '`--recorded` asks for code that only a store has.', {
        remedy: 'Name a run of the store: `pawl replay RUN --recorded`.',
      });
    }
    const { replayHistory } = await import('../../runtime/index.ts');
    const { outDir, storeUrl } = await openProject(root, options.store, out.env);
    const found: { history: History; problem: ParkedReason | null }[] = [];
    if (options.histories !== undefined) {
      const code = await codeAtHand(outDir);
      for (const history of await readHistories(resolve(root, options.histories)))
        found.push({ history, problem: await replayHistory(history, code) });
    } else {
      const { history, code } = await withStore(storeUrl, false, async (store) => {
        const { id, bundleHash } = await findRun(store, wanted as string);
        const { historyOf } = await import('../../runtime/index.ts');
        const read = historyOf(id, await readLog(store, id));
        return {
          history: read,
          code: options.recorded ? await ownCode(store, id, bundleHash) : await codeAtHand(outDir),
        };
      });
      found.push({ history, problem: await replayHistory(history, code) });
    }
    if (out.json) out.printJson(found.map(({ history, problem }) => ({ ...summary(history), problem })));
    else for (const { history, problem } of found) print(history, problem, found.length > 1, out);
    const parted = found.filter(({ problem }) => problem !== null).length;
    if (found.length > 1)
      out.note(`${count(found.length, 'run')} replayed, ${parted === 0 ? 'all the same' : `${parted} different`}`);
    return parted > 0 ? 1 : 0;
  },
});

function summary({ id, events }: History) {
  return { id, workflow: events[0].name, events: events.length };
}

async function codeAtHand(outDir: string): Promise<WorkflowCode> {
  const { readBundles } = await import('../../manifest/index.ts');
  const manifest = await readProjectManifest(outDir);
  const { code, map } = readBundles(manifest).workflows;
  return { hash: manifest.bundles.workflows.hash, code, map };
}

async function ownCode(store: EventStore, id: string, hash: string | null): Promise<WorkflowCode> {
  const bundle = hash === null ? null : await store.getBundle(hash);
  if (bundle !== null && hash !== null) return { hash, ...bundle };
  const why = hash === null ? 'no worker has taken it yet' : `the store has no bundle ${hash}`;
  throw new PawlError('PAWL_BUNDLE_LOST', `There is no code of the run \`${id}\`: ${why}.`, {
    place: store.url,
    remedy: 'Leave `--recorded` away to replay it on the code at hand.',
  });
}

async function readHistories(file: string): Promise<History[]> {
  const { parseHistories } = await import('../../runtime/index.ts');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new PawlError('PAWL_HISTORY_FILE', `The histories cannot be read: ${(error as Error).message}.`, {
      place: file,
      remedy: 'Name a file that `pawl runs --history > FILE` has written.',
    });
  }
  return parseHistories(text, file);
}

function print(history: History, problem: ParkedReason | null, quiet: boolean, out: Output): void {
  const { id, workflow, events } = summary(history);
  const name = `${visibleLine(shortName(workflow))}  ${visibleLine(id)}`;
  if (problem === null) {
    if (!quiet) out.line(`${out.colors.green('same')}    ${name}  ${count(events, 'event')}`);
    return;
  }
  out.line(`${out.colors.red('differs')} ${name}`);
  out.line(`  ${out.colors.bold(problem.code)}: ${visible(problem.message)}`);
}
