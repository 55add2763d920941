/**
 * Glossary of the command line.
 *
 * - **command**: one object literal in a file of its own under `commands/`, and one line in `commands/index.ts`. Help, parsing,
 *   suggestions and the README's table are derived from it. Its file imports nothing heavy: what a command needs it
 *   imports within `run`, so that `pawl --help` does not load a compiler.
 * - **exit code**: 0 success, 1 findings or a failed run, 2 could not do the work.
 */
import type { Output } from './output.ts';

/** What `--name` takes. */
export type OptionSpec =
  | { type: 'boolean'; description: string; short?: string }
  /** `value` is how help shows the value: `--input JSON`. */
  | { type: 'string'; value: string; description: string; short?: string; multiple?: false }
  | { type: 'string'; value: string; description: string; short?: string; multiple: true };

export type OptionSpecs = Record<string, OptionSpec>;

/** Parsed options: a string, true, or a list of strings; undefined when not given. Values are as typed, never numbers. */
export type OptionValues<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]?: Specs[Name] extends { type: 'boolean' }
    ? boolean
    : Specs[Name] extends { multiple: true }
      ? string[]
      : string;
};

export interface CommandContext<Specs extends OptionSpecs = OptionSpecs> {
  /** Positional arguments; those that the usage requires are there. */
  args: string[];
  options: OptionValues<Specs>;
  /** The project's root, absolute: `--root`, else the working directory. */
  root: string;
  out: Output;
}

/** 130 and 143: interrupted by Ctrl-C, or asked to end. */
export type ExitCode = 0 | 1 | 2 | 130 | 143;

export interface Command<Specs extends OptionSpecs = OptionSpecs> {
  name: string;
  /** Positional arguments as help shows them: `<workflow>` is required, `[files...]` may be any number. Empty for none. */
  positionals: string;
  /** One line without a full stop. */
  description: string;
  /** Paragraphs that help shows below the usage. */
  details?: string;
  options: Specs;
  /** Command lines without the `$`, each with what it does. */
  examples: readonly { line: string; does: string }[];
  run(context: CommandContext<Specs>): Promise<ExitCode>;
}

/** Types a command literal: `options` in its `run` follow from the specs. */
export function defineCommand<const Specs extends OptionSpecs>(command: Command<Specs>): Command {
  return command as unknown as Command;
}

/** The option that every command with something to read has. */
export const JSON_OPTION = {
  json: { type: 'boolean', description: 'Print JSON for programs' },
} as const satisfies OptionSpecs;
