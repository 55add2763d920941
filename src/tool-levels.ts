/**
 * The level table of tools, in words: a tool is a step, which may do I/O and cannot wait durably, or workflow code, which may wait and can do
 * no I/O. The rule tool-level says it of what it sees, an agent of what happens.
 */

interface Words {
  message: string;
  remedy: string;
}

/** @param what - what waits: `sleep` */
export function toolWaits(name: string, what: string): Words {
  return {
    message: `The tool \`${name}\` is a step and waits durably (\`${what}\`), which only workflow code can.`,
    remedy: "Take 'use step' out of it, and give what does I/O a step of its own.",
  };
}

/** @param what - what is I/O: `fetch` */
export function toolDoesIo(name: string, what: string): Words {
  return {
    message: `The tool \`${name}\` does I/O (\`${what}\`) and is no step: it runs as workflow code, which is replayed and has neither network nor disk.`,
    remedy: "Begin its `execute` with 'use step'.",
  };
}
