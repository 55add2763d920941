import { parseArgs } from 'node:util';
import { PawlError } from '../errors.ts';
import type { Command, OptionSpecs, OptionValues } from './command.ts';
import { GLOBAL_OPTIONS } from './help.ts';

export interface ParsedLine {
  args: string[];
  options: OptionValues<OptionSpecs> & OptionValues<typeof GLOBAL_OPTIONS>;
}

/**
 * Reads the arguments of a command. Values stay strings as they were typed: `--input 0123` is not 123.
 *
 * @throws PawlError `PAWL_USAGE` for unknown options, missing values, too few or too many arguments
 */
export async function parseLine(command: Command, argv: readonly string[]): Promise<ParsedLine> {
  const specs: OptionSpecs = { ...command.options, ...GLOBAL_OPTIONS };
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      {
        type: spec.type,
        ...(spec.short ? { short: spec.short } : {}),
        ...('multiple' in spec ? { multiple: spec.multiple } : {}),
      },
    ]),
  );
  const place = `pawl ${command.name}`;
  const parsed = (() => {
    try {
      return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    } catch (error) {
      return error as Error & { code?: string };
    }
  })();
  if (parsed instanceof Error) throw await usageError(parsed, place, Object.keys(specs));
  const { values, positionals } = parsed;
  checkEmpty(values, specs, place);
  if (!values.help && !values.version) checkCount(command, positionals, place);
  return { args: positionals, options: values as ParsedLine['options'] };
}

/** `--id ''` is mostly a variable of a shell that was never set; it must not mean that the option was not given. */
function checkEmpty(values: Record<string, unknown>, specs: OptionSpecs, place: string): void {
  for (const [name, value] of Object.entries(values)) {
    const spec = specs[name];
    if (spec?.type !== 'string' || ![value].flat().includes('')) continue;
    throw new PawlError('PAWL_USAGE', `\`--${name}\` has an empty value.`, {
      remedy: `Write \`--${name} ${spec.value}\`, or leave the option out. Run \`${place} --help\`.`,
    });
  }
}

async function usageError(
  error: Error & { code?: string },
  place: string,
  known: readonly string[],
): Promise<PawlError> {
  const help = `Run \`${place} --help\`.`;
  if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const option = /'(--?[^']*)'/.exec(error.message)?.[1] ?? '';
    const meant = await suggest(option.replace(/^-+/, ''), known);
    return new PawlError('PAWL_USAGE', `\`${place}\` has no option \`${option}\`.`, {
      remedy: meant ? `Did you mean \`--${meant}\`? ${help}` : help,
    });
  }
  // Node's own words are good: "Option '--input <value>' argument missing".
  const [reason = error.message] = error.message.split('\n');
  const negative = /ambiguous/.test(reason) ? ' A value that begins with `-` is written `--option=-value`.' : '';
  return new PawlError('PAWL_USAGE', `${reason.replace(/\.$/, '')}.`, { remedy: `${help}${negative}` });
}

function checkCount(command: Command, args: readonly string[], place: string): void {
  const wanted = command.positionals.split(' ').filter(Boolean);
  const remedy = `Usage: ${`${place} ${command.positionals}`.trimEnd()} [options]. Run \`${place} --help\`.`;
  const missing = wanted.filter((name) => name.startsWith('<'))[args.length];
  if (missing) throw new PawlError('PAWL_USAGE', `\`${place}\` needs ${missing}.`, { remedy });
  const extra = args[wanted.length];
  if (extra !== undefined && !wanted.at(-1)?.includes('...')) {
    throw new PawlError('PAWL_USAGE', `\`${place}\` does not know what to do with \`${extra}\`.`, { remedy });
  }
}

/** The known word that was probably meant, or null. */
export async function suggest(word: string, known: Iterable<string>): Promise<string | null> {
  const { nearest } = await import('../diagnostics/index.ts');
  return nearest(word, known);
}
