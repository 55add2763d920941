/** What a worker runs: the manifest, the workflow bundle as text, the step bundle as a loaded module. */
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PawlError } from '../errors.ts';
import { orStalled } from '../idle.ts';
import {
  hashText,
  type LoadedBundles,
  type LoadedManifest,
  type Manifest,
  readBundles,
  readManifest,
} from '../manifest/index.ts';
import { loadFailed, loadStalled } from './load-failures.ts';
import { bundleFilename, type WorkflowCode } from './sandbox.ts';
import type { AnyClass } from './serialization/symbols.ts';
import { registerSourceMap } from './source-maps.ts';

// biome-ignore lint/suspicious/noExplicitAny: functions of users, of any signature.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyFunction = (...args: any[]) => unknown;

/** How a step is called: directly, or made from what it captured. */
export type StepEntry = { fn: AnyFunction; factory?: undefined } | { fn?: undefined; factory: AnyFunction };

/** What a step bundle exports as `registry`. */
export interface StepRegistry {
  steps: Map<string, StepEntry>;
  classes: Map<string, AnyClass>;
  /** Definitions by slug. */
  actions: Map<string, unknown>;
  workflows: Map<string, unknown>;
  agents: Map<string, unknown>;
}

export interface Program {
  manifest: Manifest;
  workflows: WorkflowCode;
  registry: StepRegistry;
}

/**
 * Loads what `pawl build` wrote.
 *
 * @param source Path of `manifest.json` or of its directory, or a manifest that was read already.
 * @throws PawlError `PAWL_MANIFEST_*`, `PAWL_BUNDLE_*`; `PAWL_STEPS_FAILED` when the step bundle throws while it is loaded,
 *   `PAWL_STEPS_STALLED` when a top-level `await` of it never ends; `PAWL_STEPS_MISMATCH` when it does not register what the
 *   manifest lists.
 */
export async function loadProgram(source: string | LoadedManifest): Promise<Program> {
  const manifest = typeof source === 'string' ? readManifest(source) : source;
  const bundles = readBundles(manifest);
  const { code, map } = bundles.workflows;
  const workflows = { hash: manifest.bundles.workflows.hash, code, map };
  const registry = await importSteps(manifest, bundles.steps);
  const program = { manifest, workflows, registry };
  checkRegistry(program, bundles.steps.file);
  registerBundle(workflows);
  return program;
}

/** Makes the frames of a workflow bundle readable. */
export function registerBundle({ hash, map }: WorkflowCode): void {
  registerSourceMap(bundleFilename(hash), () => map);
}

async function importSteps(manifest: Manifest, { file, code, map }: LoadedBundles['steps']): Promise<StepRegistry> {
  const { hash, cycles = [] } = manifest.bundles.steps;
  const url = pathToFileURL(file);
  // A module is loaded once by its URL: another build needs another one.
  url.searchParams.set('build', hash.slice(-16));
  registerSourceMap(url.href, () => map, dirname(file));
  const bundle = { file, url: url.href, code, cycles };
  const loading = import(/* @vite-ignore */ url.href).catch((error: unknown) => {
    throw loadFailed(error, bundle);
  });
  const module = (await orStalled(loading, () => loadStalled(bundle))) as { registry?: unknown };
  const { registry } = module;
  if (typeof registry !== 'object' || registry === null || !((registry as StepRegistry).steps instanceof Map)) {
    throw new PawlError('PAWL_STEPS_MISMATCH', 'The step bundle exports no registry.', {
      place: file,
      remedy: 'Run `pawl build`.',
    });
  }
  return registry as StepRegistry;
}

function checkRegistry({ manifest, registry }: Program, place: string): void {
  const missing = Object.keys(manifest.steps).filter((id) => !hasStep(registry, id));
  if (missing.length === 0) return;
  throw new PawlError('PAWL_STEPS_MISMATCH', `The step bundle does not register ${missing.join(', ')}.`, {
    place,
    remedy:
      'Run `pawl build`. If it says the same, the module of that step throws or replaces its exports while it is loaded.',
  });
}

/** Whether a step of that id, or an action or agent of that slug, is registered. */
export function hasStep(registry: StepRegistry, id: string): boolean {
  return registry.steps.has(id) || registry.actions.has(id) || registry.agents.has(id);
}

/**
 * A program from parts that are in memory.
 *
 * @param code The workflow bundle, in the form that `wrapWorkflowBundle` gives.
 */
export function programOf(
  manifest: Manifest,
  workflows: { code: string; map?: string | null },
  registry: Partial<StepRegistry>,
): Program {
  const code = { hash: hashText(workflows.code), code: workflows.code, map: workflows.map ?? null };
  registerBundle(code);
  return {
    manifest,
    workflows: code,
    registry: {
      steps: registry.steps ?? new Map(),
      classes: registry.classes ?? new Map(),
      actions: registry.actions ?? new Map(),
      workflows: registry.workflows ?? new Map(),
      agents: registry.agents ?? new Map(),
    },
  };
}
