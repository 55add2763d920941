import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { PawlError } from '../errors.ts';
import { VERSION } from '../version.ts';
import type { Command, ExitCode } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { formatCommandHelp, formatHelp } from './help.ts';
import { Output, printError, type Sink } from './output.ts';
import { parseLine, suggest } from './parse.ts';

export interface MainOptions {
  /** Arguments after `pawl`. */
  argv: readonly string[];
  stdout: Sink;
  stderr: Sink;
  env: Record<string, string | undefined>;
  /** The working directory; null when it is gone. */
  cwd: string | null;
  commands?: readonly Command[];
}

/**
 * Runs one command line.
 *
 * @returns the exit code: 0 success, 1 findings or a failed run, 2 could not do the work; never rejects
 * @example
 * process.exitCode = await main({ argv: ['runs', '--json'], stdout, stderr, env: process.env, cwd: process.cwd() });
 */
export async function main({ argv, stdout, stderr, env, cwd, commands = COMMANDS }: MainOptions): Promise<ExitCode> {
  const json = argv.includes('--json');
  const out = new Output({ stdout, stderr, env, json });
  try {
    const { root, words } = leadingRoot(argv);
    const [first, ...rest] = words;
    const named = first === 'help' ? rest[0] : first;
    if (named === undefined || named === '--help' || named === '-h') {
      out.write(formatHelp(commands, VERSION, out.colors));
      return named === undefined && first === undefined ? 2 : 0;
    }
    if (named === '--version' || named === '-v') {
      out.line(VERSION);
      return 0;
    }
    const command = commands.find(({ name }) => name === named);
    if (!command) throw await unknownCommand(named, commands);
    const { args, options } = await parseLine(command, first === 'help' ? ['--help'] : [...root, ...rest]);
    if (options.help) {
      out.write(formatCommandHelp(command, out.colors));
      return 0;
    }
    if (options.version) {
      out.line(VERSION);
      return 0;
    }
    return await command.run({ args, options, root: rootOf(cwd, options.root), out });
  } catch (error) {
    printError(error, out);
    return 2;
  }
}

/** Without a working directory only an absolute root says where the project is. */
function rootOf(cwd: string | null, root = '.'): string {
  if (cwd !== null) return resolve(cwd, root);
  if (!isAbsolute(root)) {
    throw new PawlError('PAWL_NO_WORKING_DIRECTORY', 'The directory that this shell is in no longer exists.', {
      remedy: 'Change to a directory that does, or name the project by an absolute path: `--root /path/to/project`.',
    });
  }
  // Much of what commands load asks where it is.
  if (existsSync(root)) process.chdir(root);
  return root;
}

/** `--root` may stand before the command too: it is every command's. */
function leadingRoot(argv: readonly string[]): { root: string[]; words: readonly string[] } {
  const [first = ''] = argv;
  if (first.startsWith('--root=')) return { root: [first], words: argv.slice(1) };
  if (first !== '--root') return { root: [], words: argv };
  if (argv[1] === undefined) {
    throw new PawlError('PAWL_USAGE', '`--root` has no value.', { remedy: 'Write `pawl --root DIR <command>`.' });
  }
  return { root: [`--root=${argv[1]}`], words: argv.slice(2) };
}

async function unknownCommand(word: string, commands: readonly Command[]): Promise<PawlError> {
  const what = word.startsWith('-') ? 'option' : 'command';
  const meant = await suggest(
    word,
    commands.map(({ name }) => name),
  );
  return new PawlError('PAWL_USAGE', `pawl has no ${what} \`${word}\`.`, {
    remedy: meant ? `Did you mean \`pawl ${meant}\`? Run \`pawl --help\`.` : 'Run `pawl --help`.',
  });
}
