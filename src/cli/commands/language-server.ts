import { PawlError } from '../../errors.ts';
import { defineCommand, type ExitCode } from '../command.ts';

/** `pawl language-server`: started by editors, not by people. */
export const languageServerCommand = defineCommand({
  name: 'language-server',
  positionals: '',
  description: 'Serve an editor by the Language Server Protocol',
  details:
    'Findings while you type, fixes, hover, and the way from a workflow to its steps. Editors start it in the folder of the project and speak with it over the standard streams; the README says how to set them up.',
  options: {
    stdio: { type: 'boolean', description: 'Speak over the standard streams, which is the only way and the default' },
    clientProcessId: { type: 'string', value: 'PID', description: 'Process of the editor; ends when it does' },
  },
  examples: [{ line: 'pawl language-server --stdio', does: 'what an editor runs' }],
  async run() {
    if (process.stdin.isTTY) {
      throw new PawlError('PAWL_USAGE', 'A language server speaks with an editor, not with a terminal.', {
        remedy: 'Have your editor run `pawl language-server --stdio`; the README says how.',
      });
    }
    const { serveStandardStreams } = await import('pawl/language-server');
    serveStandardStreams();
    // The process ends when the editor says so, or is gone.
    return new Promise<ExitCode>(() => {});
  },
});
