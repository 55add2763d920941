import type { Command, OptionSpec, OptionSpecs } from './command.ts';
import type { Colors } from './output.ts';

/** Options that every command takes. */
export const GLOBAL_OPTIONS = {
  root: { type: 'string', value: 'DIR', description: "The project's root (default: the working directory)" },
  help: { type: 'boolean', short: 'h', description: 'Show help, also for one command' },
  version: { type: 'boolean', short: 'v', description: 'Show the version' },
} as const satisfies OptionSpecs;

/** Help of the whole program. */
export function formatHelp(commands: readonly Command[], version: string, c: Colors): string {
  return sections([
    `${c.bold('pawl')} ${version}  Durable TypeScript: a finished step stays finished.`,
    `${c.bold('Usage')}\n  pawl <command> [options]`,
    `${c.bold('Commands')}\n${table(commands.map((command) => [usageOf(command), command.description]))}`,
    `${c.bold('Options')}\n${optionTable(GLOBAL_OPTIONS)}`,
    `Run ${c.cyan('pawl <command> --help')} for options and examples.`,
  ]);
}

/** Help of one command. */
export function formatCommandHelp(command: Command, c: Colors): string {
  const examples = command.examples.map(({ line, does }) => `  ${c.dim(`# ${does}`)}\n  ${line}`).join('\n\n');
  return sections([
    `${c.bold(`pawl ${command.name}`)}  ${command.description}.`,
    `${c.bold('Usage')}\n  pawl ${usageOf(command)} [options]`,
    command.details ?? '',
    `${c.bold('Options')}\n${optionTable({ ...command.options, ...GLOBAL_OPTIONS })}`,
    examples && `${c.bold('Examples')}\n${examples}`,
    `${c.bold('Exit codes')}\n  0 success, 1 findings or a failed run, 2 could not do the work`,
  ]);
}

const usageOf = (command: Command): string => `${command.name} ${command.positionals}`.trimEnd();

const sections = (parts: readonly string[]): string => `${parts.filter(Boolean).join('\n\n')}\n`;

function optionTable(options: OptionSpecs): string {
  return table(Object.entries(options).map(([name, spec]) => [flagOf(name, spec), spec.description]));
}

function flagOf(name: string, spec: OptionSpec): string {
  const short = spec.short ? `-${spec.short}, ` : '    ';
  return `${short}--${name}${spec.type === 'string' ? ` ${spec.value}` : ''}`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n');
}
