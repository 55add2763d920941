import { PawlError } from '../../errors.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { count } from '../format.ts';
import { findRun, openProject, STORE_OPTION, withStore } from '../project.ts';
import { visibleLine } from '../visible.ts';

/** `pawl wake`: ends the sleeps of a run; whoever works on it, now or later, lets it go on. */
export const wakeCommand = defineCommand({
  name: 'wake',
  positionals: '<run>',
  description: 'End the sleeps of a run before their time',
  details:
    'The sleeps that the run is in now are over, and its workflow goes on as if their time had come. A run that no worker has at the\n' +
    'moment goes on as soon as one takes it; one that is parked, when it is no longer.',
  options: {
    ...STORE_OPTION,
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl wake 01JZ8Q4M7T', does: 'the beginning or end of an id is enough' },
    { line: 'pawl wake A-1004 --json', does: 'how many sleeps it ended, for programs' },
  ],
  async run({ args, options, root, out }) {
    const { wakeSleeps } = await import('../../runtime/index.ts');
    const { storeUrl } = await openProject(root, options.store, out.env);
    await withStore(storeUrl, false, async (store) => {
      const { id } = await findRun(store, args[0] as string);
      const { stoppedCount, ended } = await wakeSleeps(store, id, Date.now());
      if (ended !== null) {
        throw new PawlError('PAWL_RUN_FINISHED', `The run \`${id}\` does not sleep: it is ${ended}.`, {
          place: store.url,
          remedy: `\`pawl inspect ${id}\` shows how it went.`,
        });
      }
      if (out.json) out.printJson({ id, stoppedCount });
      else
        out.line(
          `${visibleLine(id)}: ${stoppedCount === 0 ? 'is in no sleep' : `${count(stoppedCount, 'sleep')} ended`}`,
        );
    });
    return 0;
  },
});
