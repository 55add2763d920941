/**
 * The steps of the agent loop: step bundles of programs with agents take them in and register them. Not for people.
 */
import { describeDefinition } from '../agents/agent-host.ts';
import { callModel as call, writeChunks as write } from '../agents/call-model.ts';
import { GENERATION } from '../agents/loop/loop.ts';
import type { LoopSettings, ModelAnswer, ModelRequest, WriteRequest } from '../agents/loop/types.ts';
import { noModel } from '../agents/models.ts';
import { currentStep } from '../runtime/step-context.ts';
import { DEFINITION } from '../runtime/serialization/symbols.ts';
import { registry } from './step.ts';

export { useProviders } from '../agents/models.ts';

/** A defined agent, as `defineAgent` makes it. */
interface DefinedAgent {
  slug: string;
  systemPrompt: string;
  model: ModelRequest['model'];
  [DEFINITION]?: { settings?: LoopSettings };
}

export async function callModel(request: ModelRequest): Promise<ModelAnswer> {
  const step = currentStep()?.step;
  return call(whole(request), {
    attempt: step?.attempt ?? 1,
    signal: step?.signal,
    describe: (tool) => describeDefinition(registryOf(tool.kind).get(tool.definition) as never, tool),
  });
}

export async function writeChunks(request: WriteRequest): Promise<void> {
  await write(request);
}

function registryOf(kind: 'action' | 'agent' | 'workflow'): Map<string, unknown> {
  return kind === 'agent' ? registry.agents : kind === 'workflow' ? registry.workflows : registry.actions;
}

/** With what the definition of the agent says, and workflow code does not know. */
function whole(request: ModelRequest): ModelRequest {
  const { agent: slug, model } = request;
  if (slug === undefined) return request;
  const agent = registry.agents.get(slug) as DefinedAgent | undefined;
  if (!agent) throw noModel(`There is no agent ${slug}.`, 'Run `pawl build`.');
  const { systemPrompt, [DEFINITION]: { settings = {} } = {} } = agent;
  const own = Object.fromEntries(
    GENERATION.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]])),
  );
  const isOwn = typeof model === 'object' && model !== null && (model as { agent?: unknown }).agent === slug;
  return {
    ...request,
    model: isOwn ? agent.model : model,
    system: request.system ?? systemPrompt,
    ...(request.toolChoice === undefined && settings.toolChoice !== undefined && { toolChoice: settings.toolChoice }),
    settings: { ...own, ...request.settings },
  };
}
