import { PawlError } from '../../errors.ts';
import type { Upgrade, UpgradeCode } from '../../runtime/index.ts';
import type { EventStore, RunRecord } from '../../store/port.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { count } from '../format.ts';
import type { Output } from '../output.ts';
import { findRun, openProject, readProjectManifest, STORE_OPTION, shortName, withStore } from '../project.ts';
import { visible, visibleLine } from '../visible.ts';

/** `pawl upgrade`: moves runs in flight to the code of the build, where their histories fit it. */
export const upgradeCommand = defineCommand({
  name: 'upgrade',
  positionals: '[run]',
  description: 'Move a run in flight to the code at hand, if its history fits',
  details:
    'A run goes on with the workflow code that it began with, whatever is deployed. This moves it to the code of the build: its history is\n' +
    'replayed there first, and where the two part, nothing is changed and the place is shown. A worker that has the run moves it as soon\n' +
    'as none of its steps is at work. A run that was parked tries again on the new code.',
  options: {
    parked: { type: 'boolean', description: 'All runs that are parked, in place of one' },
    ...STORE_OPTION,
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl upgrade 01JZ8Q4M7T', does: 'one run; `pawl replay 01JZ8Q4M7T` says before whether it would fit' },
    { line: 'pawl upgrade --parked', does: 'after a mended build: whatever is parked and fits it goes on' },
    { line: 'pawl upgrade A-1004 --json', does: 'from which code to which, or where they part, for programs' },
  ],
  async run({ args, options, root, out }) {
    const [wanted] = args;
    if ((wanted === undefined) === (options.parked !== true)) {
      throw new PawlError('PAWL_USAGE', 'It takes either a run or `--parked`.', {
        remedy: 'Write `pawl upgrade RUN`; `pawl runs` lists them.',
      });
    }
    const { upgradeRun } = await import('../../runtime/index.ts');
    const { outDir, storeUrl } = await openProject(root, options.store, out.env);
    const code = await codeAtHand(outDir);
    const done: { run: RunRecord; result: Upgrade }[] = [];
    await withStore(storeUrl, false, async (store) => {
      const runs = wanted === undefined ? await parkedRuns(store) : [await findRun(store, wanted)];
      const host = { store, now: () => Date.now() };
      for (const run of runs) {
        const result = await upgradeRun(host, run.id, code);
        done.push({ run, result });
        if (!out.json) print(run, result, out);
      }
    });
    const refused = done.filter(({ result }) => result.outcome === 'refused').length;
    const described = done.map(({ run, result }) => ({ id: run.id, workflow: run.workflowId, ...result }));
    if (out.json) out.printJson(wanted === undefined ? described : described[0]);
    else if (wanted === undefined)
      out.note(`${count(done.length, 'parked run')}${refused === 0 ? '' : `, ${refused} left where they are`}`);
    return refused > 0 ? 1 : 0;
  },
});

async function codeAtHand(outDir: string): Promise<UpgradeCode> {
  const { readBundles, serializeManifest } = await import('../../manifest/index.ts');
  const { dir, ...manifest } = await readProjectManifest(outDir);
  const { code, map } = readBundles({ dir, ...manifest }).workflows;
  return { hash: manifest.bundles.workflows.hash, code, map, manifest: serializeManifest(manifest) };
}

async function parkedRuns(store: EventStore): Promise<RunRecord[]> {
  const runs: RunRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.listRuns({ status: ['parked'], limit: 1_000, cursor });
    runs.push(...page.runs);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return runs;
}

const SHOWN = 16;

function print({ id, workflowId }: RunRecord, result: Upgrade, out: Output): void {
  const c = out.colors;
  const name = `${visibleLine(shortName(workflowId))}  ${visibleLine(id)}`;
  const short = (hash: string | null): string => (hash ?? 'none').replace(/^sha256-/, '').slice(0, SHOWN);
  switch (result.outcome) {
    case 'upgraded':
      out.line(`${c.green('upgraded')} ${name}  ${short(result.from)} -> ${short(result.to)}`);
      return;
    case 'current':
      out.line(`${c.green('current')}  ${name}  it is on this code already`);
      return;
    case 'asked':
      out.line(`${c.yellow('asked')}    ${name}  ${visibleLine(result.owner)} moves it when no step of it is at work`);
      return;
    case 'refused':
      out.line(`${c.red('refused')}  ${name}`);
      out.line(`  ${c.bold(result.problem.code)}: ${visible(result.problem.message)}`);
  }
}
