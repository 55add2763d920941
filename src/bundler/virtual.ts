import { builtinModules } from 'node:module';
import type { Plugin } from 'rolldown';
import { COMPILED_API, WORKFLOW_API } from '../manifest/bundle-format.ts';
import { AGENT_STEPS } from './agents.ts';
import { FETCH_STEP } from './fetch-step.ts';
import { ownFiles } from './own.ts';
import { VIRTUAL } from './rolldown.ts';

/**
 * Modules of the workflow bundle that stand in for something else.
 *
 * - `pawl` and `pawl/internal/workflow` take their exports from `__pawl`, which the sandbox makes.
 * - `pawl/agent` is the agent loop, whose model calls are steps. It goes into the bundle: the code of a run stays with the run.
 * - A module of Node, or an entry of pawl that is not for workflows, becomes a stub: it may be imported (packages do so and never
 *   call it), and using it throws with its name. Code that imports it in a form that the bundler can follow is a finding.
 */
const API = `${VIRTUAL}api`;
const COMPILED = `${VIRTUAL}compiled`;
const AGENT = `${VIRTUAL}agent`;
const COMPILED_AGENT = `${VIRTUAL}compiled-agent`;
const STUB = `${VIRTUAL}unavailable/`;

/** The prefix makes the local names of helpers unmistakable in the bundle, where the build looks for their calls. */
export const HELPER_PREFIX = '__pawl_';

const BUILTIN = new RegExp(`^(?:node:.+|(?:${builtinModules.filter((name) => !name.startsWith('_')).join('|')}))$`);

/** The module that a stub stands in for; null for any other id. */
export function stubbedModule(id: string): { name: string; required: boolean } | null {
  if (!id.startsWith(STUB)) return null;
  const name = id.slice(STUB.length);
  return name.endsWith('?required')
    ? { name: name.slice(0, -'?required'.length), required: true }
    : { name, required: false };
}

/** @param target - the `schemas` target calls two helpers more; nothing of it is ever called */
export function virtualModules(target: 'workflow' | 'schemas' = 'workflow'): Plugin {
  const compiled = target === 'workflow' ? COMPILED_API : [...COMPILED_API, 'schema', 'direct'];
  const use = target === 'workflow' ? 'in a workflow' : 'while schemas are read';
  return {
    name: 'pawl:virtual',
    resolveId: {
      order: 'pre',
      filter: { id: [/^pawl(?:\/|$)/, BUILTIN] },
      async handler(id, importer, { kind }) {
        if (id === 'pawl') return API;
        if (id === 'pawl/internal/workflow') return COMPILED;
        if (id === 'pawl/internal/workflow-agent') return COMPILED_AGENT;
        if (id === 'pawl/agent') return AGENT;
        // Packages for browsers bring modules of Node as packages: `events`, `buffer`.
        if (!id.startsWith('node:') && !id.startsWith('pawl') && importer && /[\\/]node_modules[\\/]/.test(importer)) {
          const resolved = await this.resolve(id, importer as never, { skipSelf: true });
          if (resolved && !resolved.external) return resolved;
        }
        return `${STUB}${id.replace(/^node:/, '')}${kind === 'require-call' ? '?required' : ''}`;
      },
    },
    load: {
      order: 'pre',
      filter: { id: new RegExp(`^${VIRTUAL}(?:api$|compiled$|compiled-agent$|agent$|unavailable/)`) },
      handler(id) {
        if (id === API) return { code: apiModule() };
        if (id === COMPILED) return { code: compiledModule(compiled) };
        if (id === COMPILED_AGENT) return { code: compiledAgentModule() };
        if (id === AGENT) return { code: agentModule() };
        return { code: stub(stubbedModule(id)?.name ?? id, use), moduleType: 'js' };
      },
    },
  };
}

/**
 * Functions, because these are there before any module runs: in an import cycle a function of the user may be called before its own
 * module has run, and so before what that module imports.
 */
function compiledModule(names: readonly string[]): string {
  const functions = names.map(
    (name) => `function ${HELPER_PREFIX}${name}(...args) { return __pawl.compiled.${name}(...args); }`,
  );
  return functions.join('\n') + exportList(names);
}

/** What only programs with agents import: it brings the agent loop along. */
function compiledAgentModule(): string {
  return (
    `import { agentDefinition } from "pawl/agent";\n` +
    `function ${HELPER_PREFIX}agentDefinition(...args) { return agentDefinition(...args); }` +
    exportList(['agentDefinition'])
  );
}

/** A request is a step; all else the sandbox has. */
function apiModule(): string {
  const constants = WORKFLOW_API.filter((name) => name !== 'fetch').map(
    (name) => `export const ${name} = __pawl.api.${name};`,
  );
  return `import { call } from 'pawl/internal/workflow';
export const fetch = (...args) => call(${JSON.stringify(FETCH_STEP)}, args);
${constants.join('\n')}`;
}

/** What `import { … } from 'pawl/agent'` gives in workflow code. */
function agentModule(): string {
  return `import { call } from 'pawl/internal/workflow';
import { createHook, defineAgent } from 'pawl';
import { durableAgentClass, approvalSchema, promptLlmWith, withoutAbandoned, workflowAgent } from ${JSON.stringify(ownFiles().agentLoop)};
const host = {
  isDurable: true,
  callModel: (request) => call(${JSON.stringify(AGENT_STEPS.callModel)}, [request]),
  write: (request) => call(${JSON.stringify(AGENT_STEPS.write)}, [request]),
  approval: (token) => createHook({ token, schema: approvalSchema }),
};
export const DurableAgent = /*#__PURE__*/ durableAgentClass(host);
export const promptLlm = /*#__PURE__*/ promptLlmWith(DurableAgent);
export function agentDefinition(slug, settings) { return workflowAgent(slug, settings, host); }
export { defineAgent, withoutAbandoned };
`;
}

/** A module that exports helpers under locals that no user's module has. */
export function helperModule(value: (name: string) => string, names: readonly string[]): string {
  const constants = names.map((name) => `const ${HELPER_PREFIX}${name} = ${value(name)};`);
  return constants.join('\n') + exportList(names);
}

function exportList(names: readonly string[]): string {
  return `\nexport { ${names.map((name) => `${HELPER_PREFIX}${name} as ${name}`).join(', ')} };\n`;
}

/** CommonJS, so that any name may be imported from it. Interop makes objects that inherit from it: hence `getPrototypeOf`. */
function stub(name: string, use: string): string {
  const message = `\`${name}\` is not available ${use}. Move the code that uses it into a step.`;
  return `module.exports = new Proxy({}, {
  get(_, key) {
    if (typeof key === 'symbol' || key === '__esModule' || key === 'then') return undefined;
    throw new Error(${JSON.stringify(message)});
  },
  getPrototypeOf: () => module.exports,
});`;
}
