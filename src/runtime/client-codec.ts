/** How values arrive in an app: instances of the classes that its compiled modules have registered, references for the rest. */
import type { EventStore } from '../store/port.ts';
import { type Codec, createCodec } from './serialization/codec.ts';
import { hostPlatform } from './serialization/http-host.ts';
import { type AnyClass, CAPTURES } from './serialization/symbols.ts';
import { mapStack } from './source-maps.ts';
import { workflowReference } from './step-runner.ts';
import { streamAccess } from './stream-access.ts';

const KEY = Symbol.for('pawl.classes.1');

/** Filled by `pawl/internal/client`. */
function knownClasses(): Map<string, AnyClass> | undefined {
  return (globalThis as unknown as Record<symbol, Map<string, AnyClass> | undefined>)[KEY];
}

const codecs = new WeakMap<EventStore, Codec>();

/** @param store Where streams are read that arrive. */
export function clientCodec(store: EventStore): Codec {
  const known = codecs.get(store);
  if (known !== undefined) return known;
  const codec: Codec = createCodec({
    step: (reference) => {
      const { id } = reference;
      const fn = (): never => {
        throw new Error(`The step ${id} is a reference here: only workflows and steps call it.`);
      };
      Object.defineProperty(fn, 'stepId', { value: id });
      Object.defineProperty(fn, CAPTURES, { value: () => reference.captures });
      return fn;
    },
    workflow: workflowReference,
    class: (id) => knownClasses()?.get(id),
    platform: hostPlatform(
      undefined,
      streamAccess(() => ({ store, codec })),
    ),
    mapStack,
  });
  codecs.set(store, codec);
  return codec;
}
