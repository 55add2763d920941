import { defineCommand, JSON_OPTION } from '../command.ts';
import { openProject, STORE_OPTION, withStore } from '../project.ts';
import { visibleLine } from '../visible.ts';

/** `pawl resume`: sends a payload to a hook, as `resumeHook` does. */
export const resumeCommand = defineCommand({
  name: 'resume',
  positionals: '<token>',
  description: 'Send a payload to a hook that a workflow waits for',
  details:
    'When the command ends, the payload is kept; a worker that has the run, now or later, hands it to the workflow. What the\nschema of the hook refuses is not kept. `pawl inspect` shows the tokens of the hooks of a run.',
  options: {
    payload: {
      type: 'string',
      value: 'JSON',
      description: 'What the workflow gets: JSON, @FILE, or - for standard input',
    },
    ...STORE_OPTION,
    ...JSON_OPTION,
  },
  examples: [
    { line: `pawl resume approval:A-1004 --payload '{ "approved": true }'`, does: 'the workflow goes on with it' },
    { line: 'pawl resume approval:A-1004', does: 'without a payload: `undefined`' },
  ],
  async run({ args, options, root, out }) {
    const { readInput } = await import('../workflow-input.ts');
    const { resumeHookIn } = await import('../../runtime/index.ts');
    const token = args[0] as string;
    const payload = options.payload === undefined ? undefined : await readInput(options.payload, root);
    const { storeUrl } = await openProject(root, options.store, out.env);
    await withStore(storeUrl, false, async (store) => {
      const { runId } = await resumeHookIn(store, token, payload);
      if (out.json) out.printJson({ token, runId });
      else out.line(`${visibleLine(token)}: the payload is kept for run ${visibleLine(runId)}`);
    });
    return 0;
  },
});
