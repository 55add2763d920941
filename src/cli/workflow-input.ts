/** What `pawl run WORKFLOW --input JSON` means: which workflow, which arguments. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import { jsonErrorAt } from '../diagnostics/index.ts';
import { PawlError } from '../errors.ts';
import type { LoadedManifest, ManifestWorkflow } from '../manifest/index.ts';
import { deepPath, MAX_DEPTH } from '../runtime/serialization/codec.ts';
import { suggest } from './parse.ts';
import { shortName } from './project.ts';

export interface WorkflowChoice {
  id: string;
  workflow: ManifestWorkflow;
}

/**
 * Finds a workflow by id, slug or name.
 *
 * @throws PawlError `PAWL_WORKFLOW_UNKNOWN` with the nearest name, `PAWL_WORKFLOW_AMBIGUOUS` with the ids
 */
export async function chooseWorkflow(manifest: LoadedManifest, wanted: string): Promise<WorkflowChoice> {
  const exact = Object.hasOwn(manifest.workflows, wanted) ? manifest.workflows[wanted] : undefined;
  if (exact) return { id: wanted, workflow: exact };
  const all = Object.entries(manifest.workflows).map(([id, workflow]) => ({ id, workflow }));
  const named = all.filter(({ id, workflow }) => workflow.name === wanted || shortName(id) === wanted);
  const [only, second] = named;
  if (only && !second) return only;
  const place = resolve(manifest.dir, 'manifest.json');
  if (only) {
    throw new PawlError('PAWL_WORKFLOW_AMBIGUOUS', `${named.length} workflows are named \`${wanted}\`.`, {
      place,
      remedy: `Write the id: ${named.map(({ id }) => id).join(' or ')}.`,
    });
  }
  if (all.length === 0) {
    throw new PawlError('PAWL_WORKFLOW_UNKNOWN', `There is no workflow \`${wanted}\`; the build found none at all.`, {
      place,
      remedy: "Begin an async function with 'use workflow', or define one with defineWorkflow, and run `pawl build`.",
    });
  }
  const meant = await suggest(
    wanted,
    all.flatMap(({ id, workflow }) => [id, shortName(id), workflow.name]),
  );
  const list = all.map(({ id }) => id);
  const known = `The workflows are ${list.slice(0, 10).join(', ')}${list.length > 10 ? ', …' : ''}.`;
  throw new PawlError('PAWL_WORKFLOW_UNKNOWN', `There is no workflow \`${wanted}\`.`, {
    place,
    remedy: `${meant ? `Did you mean \`${meant}\`? ` : ''}${known} If it is new, run \`pawl build\`.`,
  });
}

/** Arguments as the command line gives them; null when it gives none. */
export async function readArguments(
  { input, args }: { input?: string; args?: string },
  base: string,
): Promise<unknown[] | null> {
  if (input !== undefined && args !== undefined) {
    throw new PawlError('PAWL_USAGE', '`--input` and `--args` exclude each other.', {
      remedy: '`--input` is the only argument; `--args` is the list of all.',
    });
  }
  if (input !== undefined) return [await readInput(input, base)];
  if (args === undefined) return null;
  const list = await readInput(args, base);
  if (Array.isArray(list)) return list as unknown[];
  throw new PawlError('PAWL_INPUT_INVALID', '`--args` is no JSON array.', {
    remedy: 'Write all arguments as a list: --args \'[1, "two"]\'. One argument is easier with `--input`.',
  });
}

/**
 * Reads `--input`: JSON, `@FILE`, or `-` for standard input.
 *
 * @param base folder that a file is relative to
 * @throws PawlError `PAWL_INPUT_FILE`, `PAWL_INPUT_NOT_JSON`, `PAWL_INPUT_TOO_DEEP`
 */
export async function readInput(option: string, base: string): Promise<unknown> {
  if (option === '-') return parseJson(await readStream(process.stdin), 'standard input');
  if (!option.startsWith('@')) return parseJson(option, '--input');
  const file = resolve(base, option.slice(1));
  return parseJson(readInputFile(file), file);
}

function readInputFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      statSync(file, { throwIfNoEntry: false })?.isDirectory() === true
        ? 'it is a directory'
        : code === 'ENOENT'
          ? 'there is no such file'
          : code === 'EACCES'
            ? 'permission is denied'
            : message;
    throw new PawlError('PAWL_INPUT_FILE', `The input cannot be read: ${reason}.`, {
      place: file,
      remedy: 'Name a readable file after `@`, or write the JSON itself.',
      cause: error,
    });
  }
}

function parseJson(text: string, place: string): unknown {
  const value = readJson(text, place);
  const path = deepPath(value);
  if (path === null) return value;
  throw new PawlError('PAWL_INPUT_TOO_DEEP', `The input is nested deeper than ${MAX_DEPTH} levels, at ${path}…`, {
    place,
    remedy: 'Pass it flat: a list of nodes that name each other by id, or the name of a file that a step reads.',
  });
}

function readJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const { message } = error as Error;
    const reason = text.trim() === '' ? 'it is empty' : message;
    const position = text.trim() === '' ? null : jsonErrorAt(text.replace(/^\uFEFF/, ''));
    const before =
      position === null
        ? null
        : text
            .replace(/^\uFEFF/, '')
            .slice(0, position)
            .split('\n');
    throw new PawlError('PAWL_INPUT_NOT_JSON', `The input is not JSON: ${reason}.`, {
      place: before ? `${place}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}` : place,
      remedy:
        'Strings and keys take double quotes: --input \'{ "id": "A-1004" }\'. `@FILE` reads a file, `-` standard input.',
      cause: error,
    });
  }
}
