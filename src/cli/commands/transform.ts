import { realpathSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type { Target } from '../../compiler/index.ts';
import { PawlError } from '../../errors.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { visibleLine } from '../visible.ts';

const TARGETS: readonly Target[] = ['workflow', 'step', 'client'];

/** `pawl transform`: what the compiler makes of one file. */
export const transformCommand = defineCommand({
  name: 'transform',
  positionals: '<file>',
  description: "Show the compiler's output",
  options: {
    target: { type: 'string', value: 'TARGET', description: 'workflow, step or client (default: workflow)' },
    map: { type: 'boolean', description: 'Print the source map instead of the code' },
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl transform src/orders.ts --target step', does: 'the code that runs steps' },
    { line: 'pawl transform src/orders.ts --target workflow --map', does: 'its source map' },
  ],
  async run({ args, options, root, out }) {
    const target = readTarget(options.target);
    const path = resolve(root, args[0] as string);
    const source = await readSource(path);
    const { compile } = await import('../../compiler/index.ts');
    const place = { filename: realpathSync(path), root: realpathSync(root) };
    const { diagnostics, outputs } = compile(source, { ...place, targets: [target] });
    const output = outputs[target] ?? null;
    const failed = diagnostics.some(({ severity }) => severity === 'error');
    if (options.json) {
      const { toJsonDiagnostic } = await import('../../diagnostics/index.ts');
      const map = output?.map ? JSON.parse(output.map.toString()) : null;
      out.printJson({ target, code: output?.code ?? null, map, diagnostics: diagnostics.map(toJsonDiagnostic) });
      return failed ? 1 : 0;
    }
    if (diagnostics.length > 0) {
      const { formatPretty } = await import('../../diagnostics/index.ts');
      const color = out.errorColors.isColorSupported;
      out.note(formatPretty(diagnostics, { source: () => source, color, summary: false }).trimEnd());
    }
    if (output && options.map) {
      if (output.map) out.line(output.map.toString());
      else out.note(`${visibleLine(relative(root, path))} is its own output: there is nothing to map.`);
    } else if (output) out.write(output.code);
    return failed ? 1 : 0;
  },
});

function readTarget(name: string | undefined): Target {
  const target = TARGETS.find((candidate) => candidate === (name ?? 'workflow'));
  if (target) return target;
  throw new PawlError('PAWL_USAGE', `There is no target \`${name}\`.`, {
    remedy: `The targets are ${TARGETS.join(', ')}.`,
  });
}

async function readSource(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8');
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  } catch (error) {
    const isDirectory = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    if (isDirectory) {
      throw new PawlError('PAWL_FILE_UNREADABLE', 'That is a directory; `pawl transform` takes one file.', {
        place: path,
        remedy: 'Name a file in it.',
      });
    }
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new PawlError(
      missing ? 'PAWL_FILE_NOT_FOUND' : 'PAWL_FILE_UNREADABLE',
      missing ? 'There is no such file.' : `The file cannot be read: ${(error as Error).message}.`,
      {
        place: path,
        remedy: missing ? 'Check the path; it is relative to the root.' : 'Make it readable.',
        cause: error,
      },
    );
  }
}
