import { PawlError } from '../../errors.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { findRun, openProject, STORE_OPTION, withStore } from '../project.ts';
import { visibleLine } from '../visible.ts';

/** `pawl cancel`: leaves a message for the run; whoever works on it, now or later, carries it out. */
export const cancelCommand = defineCommand({
  name: 'cancel',
  positionals: '<run>',
  description: 'Ask a run to stop',
  details:
    'The workflow gets a CancelledError at what it waits for, and may compensate before it ends. A run that no worker has at the\nmoment is cancelled as soon as one takes it.',
  options: {
    reason: { type: 'string', value: 'TEXT', description: 'Why; it is recorded with the run' },
    ...STORE_OPTION,
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl cancel 01JZ8Q4M7T', does: 'the beginning or end of an id is enough' },
    { line: "pawl cancel A-1004 --reason 'the customer called'", does: 'with a reason' },
  ],
  async run({ args, options, root, out }) {
    const { storeUrl } = await openProject(root, options.store, out.env);
    await withStore(storeUrl, false, async (store) => {
      const { id } = await findRun(store, args[0] as string);
      const result = await store.requestCancel(id, { at: Date.now(), reason: options.reason });
      if (!result.ok) {
        const how = result.reason === 'finished' ? `It is ${result.status} already.` : 'It is gone.';
        throw new PawlError('PAWL_RUN_FINISHED', `The run \`${id}\` cannot be cancelled. ${how}`, {
          place: store.url,
          remedy: `\`pawl inspect ${id}\` shows how it went.`,
        });
      }
      const again = result.messageId === null;
      if (out.json) out.printJson({ id, cancelRequested: true, again });
      else out.line(`${visibleLine(id)}: cancellation ${again ? 'was asked for before' : 'asked for'}`);
    });
    return 0;
  },
});
